import { backoff } from '../backoff.ts';
import { RotatorError } from '../errors.ts';
import type { Connection } from '../rotation/core/connection.ts';
import { attemptAt } from '../rotation/core/record.ts';
import type { Tags } from '../rotation/core/tags.ts';
import type { Ports, SecretProperties, SecretVault } from '../rotation/ports.ts';
import { type Lease, underLease } from '../rotation/steps/lease.ts';
import { readPublished } from '../rotation/steps/publication.ts';
import { refuseUseless } from './usable.ts';

/** What goes to the credential vault. */
export interface FirstCredentials {
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
}

/** A secret that is to be written, and what stands under its name. */
interface Planned {
  readonly name: string;
  readonly value: string;
  readonly found: Found;
}

/** `value` is undefined where it is there and cannot be read. */
type Found =
  | 'absent'
  | {
      readonly value: string | undefined;
      readonly tags: Tags;
      readonly properties: Partial<SecretProperties>;
    };

const ATTEMPTS = 3;
/** As in a new record: services tell whole seconds, and by those a time of just now may lie ahead. */
const DUE_AT_ONCE = 0;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/**
 * The secrets that {@link storeConnection} would have to write over although somebody else made them.
 * @param clientId as it would be written
 * @throws RotatorError `vault_*`
 */
export async function secretsInTheWay(
  connection: Connection,
  ports: Pick<Ports, 'vault'>,
  known: Partial<FirstCredentials>,
): Promise<string[]> {
  const vault = ports.vault(connection.vaults.credential);
  const planned = await planWrites(connection, vault, {
    clientId: '',
    clientSecret: '',
    refreshToken: '',
    ...known,
  });
  // A value that is not known yet is not compared: client credentials may be shared, and are then the same.
  const isKnown = ({ name }: Planned) =>
    (name === connection.secrets.clientId && known.clientId !== undefined) ||
    (connection.secrets.clientSecrets.includes(name) && known.clientSecret !== undefined) ||
    name === connection.secrets.refreshToken;
  return planned
    .filter(isKnown)
    .filter((each) => isForeign(each, connection))
    .map(({ name }) => name);
}

/**
 * The value of a secret of a connection; undefined where there is none, or where it is one of its own that is disabled: a
 * command that failed leaves such secrets, because it may not delete them.
 * @throws RotatorError `secret_disabled` for one of somebody else, `vault_*`
 */
export async function readCredential(
  connection: Pick<Connection, 'name'>,
  vault: SecretVault,
  name: string,
): Promise<string | undefined> {
  try {
    return (await vault.get(name))?.value;
  } catch (thrown) {
    if (!(thrown instanceof RotatorError) || thrown.code !== 'secret_disabled') throw thrown;
    if (isForeign({ found: await find(vault, name) }, connection)) throw thrown;
    return undefined;
  }
}

/**
 * Writes client id, client secret and refresh token of a connection as a person would, under the lease of its record: no
 * rotation comes in between. The refresh token is last; the protocol takes it for one that a person set.
 * @param replace may secrets of somebody else be written over?
 * @throws RotatorError `input_unreadable`, `refresh_token_too_large`, `in_progress`, `secret_not_managed`, or what the vault says; everything is then as it was, unless the
 *   vault could not even be asked about that
 */
export async function storeConnection(
  connection: Connection,
  ports: Pick<Ports, 'vault' | 'records' | 'clock'>,
  credentials: FirstCredentials,
  replace: boolean,
): Promise<void> {
  refuseUseless(credentials);
  await underLease(connection.name, ports, async (lease) => {
    const vault = ports.vault(connection.vaults.credential);
    const planned = await planWrites(connection, vault, credentials);
    const foreign = planned.filter((each) => isForeign(each, connection)).map(({ name }) => name);
    if (foreign.length > 0 && !replace) throw notOurs(foreign, connection);
    await writeAll(planned, connection, vault, ports, lease);
    await makeDue(lease);
  });
}

async function planWrites(
  { clientId, secrets }: Connection,
  vault: SecretVault,
  credentials: FirstCredentials,
): Promise<Planned[]> {
  const values: [string, string][] = [
    ...(clientId === undefined ? [[secrets.clientId, credentials.clientId] satisfies [string, string]] : []),
    [secrets.clientSecrets[0] ?? '', credentials.clientSecret],
    [secrets.refreshToken, credentials.refreshToken],
  ];
  // One after the other: all that can fail here fails before the second request is sent.
  const planned: Planned[] = [];
  for (const [name, value] of values) planned.push({ name, value, found: await find(vault, name) });
  return planned.filter(({ value, found }) => found === 'absent' || found.value !== value);
}

async function find(vault: SecretVault, name: string): Promise<Found> {
  const found = await readPublished(vault, name);
  return found ? { value: found.value, tags: found.tags, properties: found.properties } : 'absent';
}

/** Rotator and command line both write the connection's name; Key Vault does not tell upper from lower case in names. */
function isForeign({ found }: Pick<Planned, 'found'>, { name }: Pick<Connection, 'name'>): boolean {
  return found !== 'absent' && found.tags.connection?.toLowerCase() !== name.toLowerCase();
}

async function writeAll(
  planned: readonly Planned[],
  { name: connection, secrets }: Connection,
  vault: SecretVault,
  { clock }: Pick<Ports, 'clock'>,
  lease: Lease,
): Promise<void> {
  const written: Planned[] = [];
  try {
    for (const each of planned) {
      lease.ensureHeld();
      await patiently(clock, () => vault.put(each.name, each.value, { tags: { connection } }));
      written.push(each);
    }
  } catch (thrown) {
    // The refresh token is the last one: where only its answer was lost, everything is stored.
    const [left, ...more] = planned.slice(written.length);
    if (left && more.length === 0 && (await isStored(left, vault))) return;
    // What is undone are client credentials, and nobody has used them yet; the last write may have been executed as well.
    const begun = isPassing(thrown) ? planned.slice(0, written.length + 1) : written;
    await undo(
      begun.filter(({ name }) => name !== secrets.refreshToken),
      connection,
      vault,
    );
    throw thrown;
  }
}

/** @throws RotatorError where the vault does not say: then nothing is undone either, and the command can be run again */
async function isStored({ name, value }: Planned, vault: SecretVault): Promise<boolean> {
  const found = await find(vault, name);
  return found !== 'absent' && found.value === value;
}

/** The new refresh token is to be used at once, however fresh the old access token is, and whatever was tried lately. */
async function makeDue(lease: Lease): Promise<void> {
  // Everything is stored by now: where the record cannot be written, its connection is only due later.
  await lease
    .read()
    .then((record) => lease.write(attemptAt(record, DUE_AT_ONCE)))
    .catch(() => {});
}

/** A vault that is briefly unavailable is asked again: the person would have to sign in once more. */
async function patiently<T>(clock: Ports['clock'], work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (thrown) {
      if (!isPassing(thrown) || attempt === ATTEMPTS) throw thrown;
      const pause = backoff({ first: FIRST_PAUSE_MS, longest: LONGEST_PAUSE_MS, attempt });
      await clock.sleep(Math.max(pause, Math.min(thrown.retryAfterMs ?? 0, LONGEST_PAUSE_MS)));
    }
  }
}

function isPassing(thrown: unknown): thrown is RotatorError {
  return thrown instanceof RotatorError && /^vault_(unavailable|throttled)$/.test(thrown.code);
}

/** The rotator may not delete: what was not there before is left disabled, under our tag. */
async function undo(written: readonly Planned[], connection: string, vault: SecretVault): Promise<void> {
  for (const { name, found } of written.toReversed()) {
    const old = found === 'absent' ? undefined : found.value;
    if (found !== 'absent' && old !== undefined)
      await vault.put(name, old, { ...found.properties, tags: found.tags });
    else await vault.put(name, 'undone', { tags: { connection }, enabled: false });
  }
}

/** Names what is in the way. */
export function notOurs(names: readonly string[], { vaults }: Connection): RotatorError {
  return new RotatorError({
    code: 'secret_not_managed',
    message: `${names.join(', ')} in ${vaults.credential} ${names.length === 1 ? 'exists and was' : 'exist and were'} not made by the rotator for this connection: nothing was written.`,
    fix: 'Choose another name for the connection, or give --replace to write over.',
  });
}
