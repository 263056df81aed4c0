import { RotatorError } from '../errors.ts';
import { plausibleRecord, plausibleSummary } from '../rotation/core/plausible.ts';
import type { ConnectionRecord, RecordSummary } from '../rotation/core/record.ts';
import { recordSchema, summarySchema } from '../rotation/core/recordSchema.ts';
import { blobNameOf, SUFFIX } from './recordBlob.ts';

/**
 * Reads what `bodyOf` wrote, without what it cannot have written.
 * @param where the container, for the message, and the service's time in milliseconds
 * @throws RotatorError `record_unreadable`
 */
export function recordOf(
  body: string,
  connection: string,
  { container, now }: { readonly container: string; readonly now: number },
): ConnectionRecord {
  const parsed = recordSchema.safeParse(parseJson(body));
  // The caller's spelling counts, because the case of a name may have changed.
  if (parsed.success) return { ...plausibleRecord(parsed.data, now), connection };
  const paths = parsed.error.issues.map(({ path }) => path.join('.') || 'the whole');
  throw new RotatorError({
    code: 'record_unreadable',
    message: `This version cannot read the record in the blob ${blobNameOf(connection)} in ${container} (${paths.slice(0, 3).join(', ')}).`,
    fix: 'If a newer version wrote the record, deploy that version again. Otherwise delete the blob: the rotator creates the record again from the vault.',
  });
}

/**
 * Reads what `metadataOf` wrote. Unreadable or implausible metadata does no harm: the connection is due now.
 * @param now the service's time in milliseconds
 * @returns the connection's name and summary; undefined for a blob that is not a record
 */
export function listedOf(
  blobName: string,
  metadata: Readonly<Record<string, string>> | undefined,
  now: number,
): { readonly connection: string; readonly summary: RecordSummary } | undefined {
  if (!blobName.endsWith(SUFFIX)) return undefined;
  const named = decoded(metadata?.connection);
  const connection = named && blobNameOf(named) === blobName ? named : blobName.slice(0, -SUFFIX.length);
  // A field that is missing must not become one without a value, which takes memory for each connection.
  const fields = Object.keys(summarySchema.shape).flatMap((field) => {
    const value = metadata?.[field.toLowerCase()];
    return value === undefined ? [] : [[field, value]];
  });
  const { data } = summarySchema.safeParse(Object.fromEntries(fields));
  return { connection, summary: plausibleSummary(data, now) };
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
