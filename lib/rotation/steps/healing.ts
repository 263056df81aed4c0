import { type Healing, heal, supersededBy } from '../core/currentVersion.ts';
import {
  type ConnectionRecord,
  chainStarted,
  intentRecovered,
  versionCopied,
  versionFollowed,
} from '../core/record.ts';
import { isManaged, readIntent, readLineage } from '../core/tags.ts';
import type { Secret, SecretVersion } from '../ports.ts';
import { adoptedTags, adoptedValue } from './announceGrant.ts';
import { publishedTimes } from './publishable.ts';
import { credentialVault, logRun, type Run } from './run.ts';

/**
 * Searches the versions of the refresh token for the one that counts, stores the finding in the record, and only then
 * repairs the vault: a crash in between finds the same again.
 * @param latest what Key Vault answers when no version is named
 * @returns the record as it is stored, but for the version of a repaired copy
 * @throws RotatorError, LeaseLost
 */
export async function healConnection(
  run: Run,
  record: ConnectionRecord,
  latest: Secret,
): Promise<ConnectionRecord> {
  const versions = await credentialVault(run).versions(run.connection.secrets.refreshToken);
  const healing = heal(record, versions, latest.version);
  if (healing.finding === 'gone') return record;
  const healed = await recordOf(run, record, healing);
  if (healed !== record) await run.lease.write(healed);
  const { winner } = healing;
  for (const version of supersededBy(winner, versions, latest.version)) run.superseded.add(version);
  logRun(run, 'info', 'refresh_token_found', { finding: healing.finding, version: winner.version });
  return winner.version === latest.version ? healed : repairLateWrite(run, healed, winner, latest);
}

async function recordOf(
  run: Run,
  record: ConnectionRecord,
  { finding, winner }: Exclude<Healing, { finding: 'gone' }>,
): Promise<ConnectionRecord> {
  const intent = readIntent(winner.tags);
  if (finding === 'unchanged' || finding === 'written_twice') {
    const same = finding === 'unchanged' ? record : versionCopied(record, winner.version);
    const isKnown = intent === undefined || intent.epoch <= record.epoch;
    return isKnown ? same : intentRecovered(same, intent, await publishedTimes(run));
  }
  if (finding === 'replaced_by_person') return chainStarted(record, winner.version, run.lease.now());
  const { epoch = 0, generation = 0 } = readLineage(winner.tags) ?? {};
  const followed = versionFollowed(record, { version: winner.version, epoch, generation }, run.lease.now());
  // A record that did not know the version cannot know of a grant for it either, nor of what was published: the vaults do.
  const accessToken = await publishedTimes(run);
  if (intent) return intentRecovered(followed, intent, accessToken);
  return accessToken ? { ...followed, accessToken } : followed;
}

/**
 * A process that had lost its lease wrote after others had gone on: the token that counts becomes the latest again. Its
 * tags stay: what was obtained with it may still arrive, and names the version that was sent.
 */
async function repairLateWrite(run: Run, record: ConnectionRecord, winner: SecretVersion, latest: Secret) {
  const { connection, lease, ports } = run;
  const vault = credentialVault(run);
  const secret = await vault.get(connection.secrets.refreshToken, winner.version);
  if (!secret) return record;
  await ports.pacer.take(connection.vaults.credential, 1);
  lease.ensureHeld();
  const [value, tags] = isManaged(winner.tags)
    ? [secret.value, winner.tags]
    : [adoptedValue(secret), adoptedTags(run, record, winner)];
  const { version } = await vault.put(connection.secrets.refreshToken, value, { tags });
  logRun(run, 'warn', 'late_write_healed', { version, late: latest.version });
  run.superseded.add(latest.version).add(winner.version);
  return versionCopied(record, version);
}
