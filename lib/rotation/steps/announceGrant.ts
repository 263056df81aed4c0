import { publishedSecrets } from '../core/connection.ts';
import { type ConnectionRecord, intended, intentWithdrawn, versionCopied } from '../core/record.ts';
import { isManaged, savedTags, type Tags, withIntent } from '../core/tags.ts';
import type { Secret, SecretVersion } from '../ports.ts';
import { credentialVault, logRun, type Run } from './run.ts';

/** A refresh token set by a person is written once more with our tags: that proves that its successor can be written too. */
export async function adoptSeed(run: Run, record: ConnectionRecord, seed: Secret) {
  if (isManaged(seed.tags)) return { record, refreshToken: seed };
  const { connection, lease, ports } = run;
  await ports.pacer.take(connection.vaults.credential, 1);
  lease.ensureHeld();
  const tags = adoptedTags(run, record, seed);
  const value = adoptedValue(seed);
  const { version } = await credentialVault(run).put(connection.secrets.refreshToken, value, { tags });
  logRun(run, 'info', 'refresh_token_adopted', { version });
  return { record: versionCopied(record, version), refreshToken: { ...seed, value, version, tags } };
}

/**
 * A refresh token that a person set, without the line end that comes along from a file or a pipe: no refresh token holds one
 * (RFC 6749 appendix A.17).
 */
export function adoptedValue({ value }: Secret): string {
  return value.replace(/[\r\n]+$/, '');
}

/** The tags of our copy of a refresh token that a person set. */
export function adoptedTags(
  { connection, ports }: Run,
  { epoch, generation }: ConnectionRecord,
  seed: SecretVersion,
): Tags {
  const lineage = { connection: connection.name, parent: seed.version, store: ports.records.host };
  return savedTags({ ...lineage, epoch, generation }, seed.tags);
}

/** Waits until the vaults may be given all new versions of one rotation: the save must not have to wait. */
export async function reserveWrites({ connection, ports }: Run): Promise<void> {
  const vaults = [connection.vaults.credential, ...publishedSecrets(connection).map(({ vault }) => vault)];
  for (const [vault, writes] of Map.groupBy(vaults, (each) => each))
    await ports.pacer.take(vault, writes.length);
}

/** Writes the intent to the record, then to the vault: whoever comes after a crash knows that a grant may be out. */
export async function announce(
  run: Run,
  record: ConnectionRecord,
  current: Secret,
): Promise<ConnectionRecord> {
  const { connection, lease, ports } = run;
  const startedAt = lease.now();
  const granting = intended(record, startedAt, run.force);
  const intent = { startedAt, epoch: granting.epoch, store: ports.records.host };
  try {
    await lease.write(granting);
    await credentialVault(run).tag(
      connection.secrets.refreshToken,
      current.version,
      withIntent(current.tags, intent),
    );
    return granting;
  } catch (thrown) {
    throw new NotSent(intentWithdrawn(granting, record), thrown);
  }
}

/** The announced grant was certainly not sent. */
export class NotSent extends Error {
  override readonly name = 'NotSent';
  readonly record: ConnectionRecord;
  readonly reason: unknown;

  constructor(record: ConnectionRecord, reason: unknown) {
    super('The grant was not sent.');
    this.record = record;
    this.reason = reason;
  }
}
