import type { RecordStore, SecretVault } from '../rotation/ports.ts';
import { type Check, failed, hasCode, ok, thrownCheck, warning } from './check.ts';

/** A secret and a record that nobody has. */
const PROBE = 'token-rotator-doctor-probe';
const NO_VERSION = '0'.repeat(32);
const NO_LEASE = '00000000-0000-4000-8000-000000000000';
/** One more than Key Vault takes (Key Vault service limits): the vault refuses the write after it has looked at the right. */
const TOO_MANY_TAGS = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`probe-${at}`, '']));

/**
 * Asks a vault for each right that the rotator needs, by requests that change nothing: whoever lacks a right is answered 403,
 * whoever has it 404 or 400.
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
    : [ok(check, 'It can be reached, and lets read, list, update and set secrets.')];
}

/** What speaks against the right; undefined where nothing does. */
async function ask(request: () => Promise<unknown>): Promise<unknown> {
  try {
    await request();
    return undefined;
  } catch (thrown) {
    return hasCode(thrown, 'vault_rejected') ? undefined : thrown;
  }
}

const SKEW_WARNING_MS = 60_000;
const SKEW_FAILED_MS = 300_000;

/**
 * Asks the storage account for reading and writing, and what time it is.
 * @param now this machine's clock, in milliseconds
 */
export async function storageChecks(records: RecordStore, now: () => number): Promise<Check[]> {
  const check = `storage ${records.host}`;
  try {
    const { now: theirs } = await records.list();
    const ours = now();
    await records.renewLease(PROBE, NO_LEASE);
    return [ok(check, 'It can be reached, and lets list and write records.'), skewCheck(ours - theirs)];
  } catch (thrown) {
    return [thrownCheck(check, thrown)];
  }
}

/** Signing in fails from about five minutes on; the rotator itself goes by the storage service's clock. */
function skewCheck(skewMs: number): Check {
  const seconds = Math.round(Math.abs(skewMs) / 1000);
  const message = `This machine's clock is ${seconds} s ${skewMs < 0 ? 'behind' : 'ahead of'} the storage service's.`;
  const fix = 'Let the machine set its clock by the network (NTP).';
  if (Math.abs(skewMs) >= SKEW_FAILED_MS) return failed('clock', { message, fix });
  if (Math.abs(skewMs) >= SKEW_WARNING_MS) return warning('clock', message, fix);
  return ok('clock', "It agrees with the storage service's.");
}
