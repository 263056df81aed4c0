import type { RecordStore, SecretVault } from '../rotation/ports.ts';
import { type Check, failed, hasCode, ok, thrownCheck, warning } from './check.ts';

/** The name of a secret and a record that do not exist. */
const PROBE = 'token-rotator-doctor-probe';
const NO_VERSION = '0'.repeat(32);
const NO_LEASE = '00000000-0000-4000-8000-000000000000';
/** One more than Key Vault allows (Key Vault service limits): the vault refuses the write after it has checked the permission. */
const TOO_MANY_TAGS = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`probe-${at}`, '']));

/**
 * Tests each permission that the rotator needs in a vault, with requests that change nothing. The vault responds with 403 if
 * the permission is missing, and with 404 or 400 if it is not.
 */
export async function vaultChecks(vault: SecretVault, url: string): Promise<Check[]> {
  const check = `vault ${url}`;
  try {
    await vault.get(PROBE);
  } catch (thrown) {
    return [thrownCheck(check, thrown)];
  }
  const others = [
    await ask(() => vault.versions(PROBE)),
    await ask(() => vault.tag(PROBE, NO_VERSION, {})),
    await ask(() => vault.put(PROBE, 'probe', { tags: TOO_MANY_TAGS, enabled: false })),
  ];
  const bad = others.flatMap((thrown) => (thrown === undefined ? [] : [thrownCheck(check, thrown)]));
  return bad.length > 0
    ? bad
    : [ok(check, 'The vault is reachable and allows reading, listing, updating and setting secrets.')];
}

/** The error that shows that the permission is missing; undefined if there is none. */
async function ask(request: () => Promise<unknown>): Promise<unknown> {
  try {
    await request();
    return undefined;
  } catch (thrown) {
    // An Azure Policy may refuse the probe; what the rotator writes has other attributes.
    return hasCode(thrown, 'vault_rejected') || hasCode(thrown, 'vault_policy') ? undefined : thrown;
  }
}

const SKEW_WARNING_MS = 60_000;
const SKEW_FAILED_MS = 300_000;

/**
 * Tests reading and writing in the storage account, and compares its clock.
 * @param now this machine's clock, in milliseconds
 */
export async function storageChecks(records: RecordStore, now: () => number): Promise<Check[]> {
  const check = `storage ${records.host}`;
  try {
    const { now: theirs } = await records.list();
    const ours = now();
    await records.renewLease(PROBE, NO_LEASE);
    return [
      ok(check, 'The account is reachable and allows listing and writing records.'),
      skewCheck(ours - theirs),
    ];
  } catch (thrown) {
    return [thrownCheck(check, thrown)];
  }
}

/** Authentication fails from about five minutes on; the rotator itself uses the storage service's clock. */
function skewCheck(skewMs: number): Check {
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const message = `This machine's clock is ${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} the storage service's.`;
  const fix = 'Synchronize the clock of this machine over the network (NTP).';
  if (Math.abs(skewMs) >= SKEW_FAILED_MS) return failed('clock', { message, fix });
  if (Math.abs(skewMs) >= SKEW_WARNING_MS) return warning('clock', message, fix);
  return ok('clock', "This machine's clock agrees with the storage service's.");
}
