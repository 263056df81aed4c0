import { problemOf, RotatorError } from '../../errors.ts';
import { type ConnectionRecord, refreshTokenSaved } from '../core/record.ts';
import { type Lineage, savedTags } from '../core/tags.ts';
import { SAVE_PATIENCE_MS } from '../core/times.ts';
import { LARGEST_SECRET_BYTES, type Secret } from '../ports.ts';
import { credentialVault, logRun, type Run, retryAfterOf } from './run.ts';

const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 10_000;

/** A refresh token that was just received, and the version it was obtained with. */
export interface ReceivedRefreshToken {
  readonly value: string;
  readonly obtainedWith: Secret;
  /** Milliseconds since the epoch, where the provider said it. */
  readonly expiresAt: number | undefined;
}

/**
 * Writes a received refresh token to its secret, and tries until the vault has taken it or the process ends: it exists
 * nowhere else. The lease does not matter here: healing sorts out late writes.
 * @returns the record with the new version and generation, not yet stored
 * @throws RotatorError `refresh_token_too_large`: no vault can take it; the only reason to give up
 */
export async function saveRefreshToken(
  run: Run,
  record: ConnectionRecord,
  received: ReceivedRefreshToken,
): Promise<ConnectionRecord> {
  refuseTooLarge(run, received);
  const tags = savedTags(lineageOf(run, record, received), received.obtainedWith.tags);
  const startedAt = run.ports.clock.monotonic();
  for (let attempt = 1; ; attempt++) {
    try {
      const { version } = await credentialVault(run).put(
        run.connection.secrets.refreshToken,
        received.value,
        { tags },
      );
      run.state.refreshTokens.set(run.connection.name, version);
      const saveMs = Math.round(run.ports.clock.monotonic() - startedAt);
      logRun(run, 'info', 'refresh_token_saved', {
        version,
        generation: record.generation + 1,
        attempts: attempt,
        saveMs,
      });
      return refreshTokenSaved(record, { version, expiresAt: received.expiresAt });
    } catch (thrown) {
      await pauseAfter(run, thrown, attempt, startedAt);
    }
  }
}

async function pauseAfter(run: Run, thrown: unknown, attempt: number, startedAt: number): Promise<void> {
  const { clock } = run.ports;
  const { code, message, fix } = problemOf(thrown);
  logRun(run, 'error', 'refresh_token_save_waiting', { code, message, fix, attempts: attempt });
  if (clock.monotonic() - startedAt > SAVE_PATIENCE_MS) run.onSlowSave();
  const backoff = FIRST_PAUSE_MS * 2 ** Math.min(attempt - 1, 10);
  await clock.sleep(Math.min(LONGEST_PAUSE_MS, Math.max(backoff, retryAfterOf(thrown))));
}

function lineageOf(run: Run, record: ConnectionRecord, { obtainedWith }: ReceivedRefreshToken): Lineage {
  return {
    connection: run.connection.name,
    parent: obtainedWith.version,
    epoch: record.epoch,
    generation: record.generation + 1,
    store: run.ports.records.host,
  };
}

function refuseTooLarge({ connection }: Run, { value }: ReceivedRefreshToken): void {
  const bytes = Buffer.byteLength(value);
  if (bytes <= LARGEST_SECRET_BYTES) return;
  throw new RotatorError({
    code: 'refresh_token_too_large',
    message: `The provider answered a refresh token of ${bytes} bytes; Key Vault takes ${LARGEST_SECRET_BYTES}. It is lost.`,
    fix: `Have the provider issue smaller refresh tokens for ${connection.name}, then set ${connection.secrets.refreshToken} anew.`,
  });
}
