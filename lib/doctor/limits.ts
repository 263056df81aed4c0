import { type Settings, SUBSCRIPTION_WRITES } from '../config/settings.ts';
import type { Connection } from '../rotation/core/connection.ts';
import type { RecordSummary } from '../rotation/core/record.ts';
import { renewalTime } from '../rotation/core/times.ts';
import { writesOf } from '../rotation/steps/writes.ts';
import { type Check, ok, warning } from './check.ts';

const WINDOW_MS = 10_000;
/** From here on, what waits after an outage takes hours, and a few more connections reach the limit. */
const NEAR = 0.8;

type Limited = Pick<
  Settings,
  'vaultWritesPer10Seconds' | 'subscriptionWritesPer10Seconds' | 'scheduleIntervalMs'
>;

/**
 * Compares the new versions that all connections need, when each is renewed in its time, with the limits of the vaults and of the
 * subscription: docs/scale.md has the arithmetic.
 * @param summaries by connection; they say how long access tokens live
 */
export function limitChecks(
  connections: readonly Connection[],
  summaries: ReadonlyMap<string, RecordSummary>,
  settings: Limited,
): Check[] {
  const perVault = new Map<string, number>();
  for (const connection of connections.filter(({ enabled }) => enabled)) {
    const rotations = WINDOW_MS / renewedEvery(connection, summaries.get(connection.name), settings);
    for (const [vault, writes] of writesOf(connection))
      perVault.set(vault, (perVault.get(vault) ?? 0) + writes * rotations);
  }
  const needed = [...perVault.values()].reduce((sum, each) => sum + each, 0);
  const { vaultWritesPer10Seconds: most, subscriptionWritesPer10Seconds: share = SUBSCRIPTION_WRITES } =
    settings;
  const vaults = [...perVault]
    .filter(([, writes]) => writes >= NEAR * most)
    .map(([vault, writes]) =>
      warning(
        'limits',
        `The connections write ${versions(writes)} in 10 s to ${vault}; VAULT_WRITES_PER_10_SECONDS allows ${most}.`,
        'Name further vaults in the entries of some connections (vaults), or have tokens issued that live longer.',
      ),
    );
  if (needed >= NEAR * share)
    return [
      ...vaults,
      warning(
        'limits',
        `The connections write ${versions(needed)} in 10 s to all vaults; the share of the subscription is ${share} of ${SUBSCRIPTION_WRITES}.`,
        'Put some connections into a rotator of another subscription or region, or raise SUBSCRIPTION_WRITES_PER_10_SECONDS if nothing else writes so much.',
      ),
    ];
  if (vaults.length > 0) return vaults;
  const message = `The connections write ${versions(needed)} in 10 s; the share of the subscription is ${share}.`;
  return [ok('limits', message)];
}

/** In milliseconds, on average. */
function renewedEvery(
  connection: Connection,
  summary: RecordSummary | undefined,
  { scheduleIntervalMs }: Limited,
): number {
  const { rotatedAt: issuedAt = 0, expiresAt } = summary ?? {};
  const lives = expiresAt === undefined ? connection.behavior.defaultExpiresInMs : expiresAt - issuedAt;
  const times = { issuedAt: 0, expiresAt: Math.max(lives, 1_000) };
  return Math.max(renewalTime(times, connection, scheduleIntervalMs), scheduleIntervalMs);
}

function versions(writes: number): string {
  const count = Math.round(writes);
  if (writes < 1) return 'less than one new version';
  return count === 1 ? 'one new version' : `${count} new versions`;
}
