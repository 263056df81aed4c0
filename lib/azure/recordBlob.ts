import { RotatorError } from '../errors.ts';
import type { RecordSummary } from '../rotation/ports.ts';
import { type ConnectionRecord, recordSchema } from '../rotation/record.ts';
import { summaryOf as summaryOfRecord } from '../rotation/status.ts';

const SUFFIX = '.json';

/** A summary that makes its connection due now: the record itself then tells what is the matter. */
const UNKNOWN: RecordSummary = { phase: 'idle', generation: 0, nextAttemptAt: 0 };

/** The blob of a connection. Names of connections may differ in case only by mistake; blob names always would. */
export function blobNameOf(connection: string): string {
  return `${connection.toLowerCase()}${SUFFIX}`;
}

/** The body of a record's blob. */
export function bodyOf(record: ConnectionRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

/**
 * Reads what {@link bodyOf} wrote.
 * @throws RotatorError `record_unreadable`
 */
export function recordOf(body: string, connection: string, container: string): ConnectionRecord {
  const parsed = recordSchema.safeParse(parseJson(body));
  // The spelling of the caller counts, should the case of a name have changed.
  if (parsed.success) return { ...parsed.data, connection };
  const paths = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole');
  throw new RotatorError({
    code: 'record_unreadable',
    message: `The blob ${blobNameOf(connection)} in ${container} is no record that this version can read (${paths.slice(0, 3).join(', ')}).`,
    fix: 'If a newer version wrote it, deploy that version again; else delete the blob: the record is made anew from the vault.',
  });
}

/** What a list shows of a record, as blob metadata: ASCII, keys in lower case. */
export function metadataOf(record: ConnectionRecord): Record<string, string> {
  const { phase, generation, nextAttemptAt, expiresAt, rotatedAt, failure } = summaryOfRecord(record);
  return {
    connection: encodeURIComponent(record.connection),
    phase,
    generation: String(generation),
    next: String(nextAttemptAt),
    ...(expiresAt !== undefined && { expires: String(expiresAt) }),
    ...(rotatedAt !== undefined && { rotated: String(rotatedAt) }),
    ...(failure && {
      failure: failure.code,
      failures: String(failure.count),
      blocked: String(failure.blocked),
      since: String(failure.since),
    }),
  };
}

/**
 * Reads what {@link metadataOf} wrote. Metadata that cannot be read breaks nothing: the connection is due now.
 * @returns the connection's name and summary; undefined for a blob that is no record
 */
export function summaryOf(
  blobName: string,
  metadata: Readonly<Record<string, string>> = {},
): { readonly connection: string; readonly summary: RecordSummary } | undefined {
  if (!blobName.endsWith(SUFFIX)) return undefined;
  const named = decoded(metadata.connection);
  const connection = named && blobNameOf(named) === blobName ? named : blobName.slice(0, -SUFFIX.length);
  return { connection, summary: readSummary(metadata) ?? UNKNOWN };
}

function readSummary(metadata: Readonly<Record<string, string>>): RecordSummary | undefined {
  const { phase } = metadata;
  const generation = numberOf(metadata.generation);
  const nextAttemptAt = numberOf(metadata.next);
  if (phase !== 'idle' && phase !== 'granting') return undefined;
  if (generation === undefined || nextAttemptAt === undefined) return undefined;
  const failure = metadata.failure ? readFailure(metadata.failure, metadata) : {};
  if (!failure) return undefined;
  const expiresAt = numberOf(metadata.expires);
  const rotatedAt = numberOf(metadata.rotated);
  return {
    phase,
    generation,
    nextAttemptAt,
    ...(expiresAt !== undefined && { expiresAt }),
    ...(rotatedAt !== undefined && { rotatedAt }),
    ...failure,
  };
}

function readFailure(
  code: string,
  metadata: Readonly<Record<string, string>>,
): Pick<RecordSummary, 'failure'> | undefined {
  const count = numberOf(metadata.failures);
  const since = numberOf(metadata.since);
  if (count === undefined || since === undefined) return undefined;
  return { failure: { code, count, blocked: metadata.blocked === 'true', since } };
}

function numberOf(text: string | undefined): number | undefined {
  const number = Number(text?.trim() || Number.NaN);
  return Number.isFinite(number) ? number : undefined;
}

function decoded(text: string | undefined): string | undefined {
  try {
    return text && decodeURIComponent(text);
  } catch {
    return undefined;
  }
}

function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}
