import { backoff } from '../backoff.ts';
import { RotatorError } from '../errors.ts';
import type { Connection } from '../rotation/core/connection.ts';
import { writtenElsewhere } from '../rotation/core/ownership.ts';
import { attemptAt, type ConnectionRecord, removalEnded } from '../rotation/core/record.ts';
import { attributesOf } from '../rotation/core/secretAttributes.ts';
import { operatorTags, type Tags, withExpiration } from '../rotation/core/tags.ts';
import type { Ports, SecretProperties, SecretVault } from '../rotation/ports.ts';
import { type Lease, underLease } from '../rotation/steps/lease.ts';
import { readPublished } from '../rotation/steps/publication.ts';
import { refuseUseless } from './usable.ts';

/** The values that go to the credential vault. */
export interface FirstCredentials {
  readonly clientId: string;
  /** Empty if the client has none. */
  readonly clientSecret: string;
  /** Empty if the grant has none. */
  readonly refreshToken: string;
}

/** A secret to write, and what the vault has under its name. */
interface Planned {
  readonly what: 'clientId' | 'clientSecret' | 'refreshToken';
  readonly name: string;
  readonly value: string;
  readonly found: Found;
}

/** `value` is undefined if the secret exists but cannot be read. */
type Found =
  | 'absent'
  | {
      readonly value: string | undefined;
      readonly tags: Tags;
      readonly properties: Partial<SecretProperties>;
    };

const ATTEMPTS = 3;
/** As in a new record. Services report whole seconds, so the current time may still be in the future for them. */
const DUE_NOW = 0;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** What {@link storeConnection} would replace. */
export interface InTheWay {
  /** Names of secrets that exist although the rotator did not create them for the connection. */
  readonly foreign: readonly string[];
  /** The connection works, or did until a token request whose outcome is not known yet, and its record says since when. */
  readonly works: ConnectionRecord | undefined;
}

/**
 * What {@link storeConnection} would have to replace: secrets of others, and the credentials of a connection that works.
 * @param known the values that are already known, as {@link storeConnection} would write them
 * @throws RotatorError `refresh_token_old`, `vault_*`, `storage_*`
 */
export async function whatIsInTheWay(
  connection: Connection,
  ports: Pick<Ports, 'vault' | 'records'>,
  known: Partial<FirstCredentials>,
): Promise<InTheWay> {
  const vault = ports.vault(connection.vaults.credential);
  const planned = await planWrites(connection, vault, {
    clientId: '',
    clientSecret: '',
    refreshToken: '',
    ...known,
  });
  // A value that is not known yet cannot be compared. Shared client credentials would turn out to be the same.
  const isKnown = ({ name }: Planned) =>
    (name === connection.secrets.clientId && known.clientId !== undefined) ||
    (connection.secrets.clientSecrets.includes(name) && known.clientSecret !== undefined) ||
    name === connection.secrets.refreshToken;
  const foreign = planned
    .filter(isKnown)
    .filter((each) => isForeign(each, connection))
    .map(({ name }) => name);
  if (known.refreshToken !== undefined) await refuseOld(connection, vault, planned);
  const record = planned.length > 0 ? await ports.records.read(connection.name) : undefined;
  const isThere =
    connection.grant === 'client_credentials' || (await vaultHas(vault, connection.secrets.refreshToken));
  return { foreign, works: record && isThere && works(record) ? record : undefined };
}

/**
 * Would a rotation succeed, as far as the record knows? Then other credentials can only do harm. That counts during a token request as
 * well: it usually succeeds.
 */
function works({ rotatedAt, failure }: ConnectionRecord): boolean {
  return rotatedAt !== undefined && !failure?.blocked;
}

async function vaultHas(vault: SecretVault, name: string): Promise<boolean> {
  const found = await find(vault, name);
  return found !== 'absent' && found.value !== undefined;
}

/** The rotator keeps the token in use and its parent readable; a secret that something else writes may have many versions. */
const MOST_COMPARED = 50;

/**
 * Refuses a refresh token that the vault has in an older version: a provider that replaces refresh tokens takes its second use for
 * theft. The latest version may be stored again, and writes nothing.
 * @throws RotatorError `refresh_token_old`
 */
async function refuseOld(
  { name: connection, secrets }: Connection,
  vault: SecretVault,
  planned: readonly Planned[],
): Promise<void> {
  const token = planned.find(({ name }) => name === secrets.refreshToken);
  if (!token || token.found === 'absent') return;
  const versions = (await vault.versions(token.name))
    .filter(({ enabled = true }) => enabled)
    .toSorted((one, other) => other.createdAt - one.createdAt)
    .slice(0, MOST_COMPARED);
  for (const { version } of versions) {
    if ((await vault.get(token.name, version))?.value !== token.value) continue;
    throw new RotatorError({
      code: 'refresh_token_old',
      message: `The refresh token is the one of an older version of ${token.name} (${version}). Nothing was written.`,
      fix: `Run rotator connect ${connection} to sign in again. If that version was never sent to the provider, set ${token.name} to it in the vault.`,
    });
  }
}

/**
 * The value of a secret of a connection. It is undefined if the secret is missing, or if it belongs to the connection and is
 * disabled. A command that failed leaves such secrets, because it has no permission to delete them.
 * @throws RotatorError `secret_disabled` if the disabled secret does not belong to the connection, `vault_*`
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
 * Writes the client id, the client secret and the refresh token of a connection as an operator would. It holds the lease of the
 * record, so that no rotation comes in between. The refresh token is last; the protocol treats it as one that an operator set.
 * @param replace whether to overwrite secrets that do not belong to the connection
 * @returns the names of the secrets that it wrote; those that had the value already are left out
 * @throws RotatorError `input_unreadable`, `refresh_token_too_large`, `refresh_token_old`, `in_progress`, `owned_elsewhere`, `secret_not_managed`, or the error of the
 *   vault. Everything is then as before, unless the vault was not available to undo the writes: the message names what is left
 */
export async function storeConnection(
  connection: Connection,
  ports: Pick<Ports, 'vault' | 'records' | 'clock'>,
  credentials: FirstCredentials,
  replace: boolean,
): Promise<readonly string[]> {
  refuseUseless(storedOf(connection, credentials));
  return underLease(connection, ports, async (lease) => {
    const problem = writtenElsewhere(connection, await lease.read());
    if (problem) throw new RotatorError(problem);
    const vault = ports.vault(connection.vaults.credential);
    const planned = await planWrites(connection, vault, credentials);
    await refuseOld(connection, vault, planned);
    const foreign = planned.filter((each) => isForeign(each, connection)).map(({ name }) => name);
    if (foreign.length > 0 && !replace) throw notOurs(foreign, connection);
    await writeAll(planned, connection, vault, ports, lease);
    await makeDue(lease, connection);
    return planned.map(({ name }) => name);
  });
}

/** The names of the secrets that the connection has; the refresh token is last. */
function namesOf({ clientId, grant, secrets }: Connection): Partial<Record<Planned['what'], string>> {
  const [clientSecret] = secrets.clientSecrets;
  return {
    ...(clientId === undefined && { clientId: secrets.clientId }),
    ...(clientSecret !== undefined && { clientSecret }),
    ...(grant !== 'client_credentials' && { refreshToken: secrets.refreshToken }),
  };
}

/** Of the credentials, those that are written; the client id is checked in any case. */
function storedOf(connection: Connection, credentials: FirstCredentials): Partial<FirstCredentials> {
  const { clientId, clientSecret, refreshToken } = credentials;
  const names = namesOf(connection);
  return {
    clientId,
    ...(names.clientSecret !== undefined && { clientSecret }),
    ...(names.refreshToken !== undefined && { refreshToken }),
  };
}

async function planWrites(
  connection: Connection,
  vault: SecretVault,
  credentials: FirstCredentials,
): Promise<Planned[]> {
  const names = namesOf(connection);
  // One after the other: an error of the vault shows with the first request, before a second one is sent.
  const planned: Planned[] = [];
  for (const [what, name] of Object.entries(names) as [Planned['what'], string][])
    planned.push({ what, name, value: credentials[what], found: await find(vault, name) });
  return planned.filter(({ value, found }) => found === 'absent' || found.value !== value);
}

async function find(vault: SecretVault, name: string): Promise<Found> {
  const found = await readPublished(vault, name);
  return found ? { value: found.value, tags: found.tags, properties: found.properties } : 'absent';
}

/** The rotator and the command line both write the connection's name. Key Vault ignores the case of names. */
function isForeign({ found }: Pick<Planned, 'found'>, { name }: Pick<Connection, 'name'>): boolean {
  return found !== 'absent' && found.tags.connection?.toLowerCase() !== name.toLowerCase();
}

/** As of a new value; what an operator added to the tags stays. */
function propertiesOf(
  { what, found }: Planned,
  { name, expirationHorizonMs: horizonMs }: Connection,
  now: number,
): SecretProperties {
  const tags = { ...(found !== 'absent' && operatorTags(found.tags)), connection: name };
  return attributesOf(what, tags, { end: undefined, now, horizonMs });
}

async function writeAll(
  planned: readonly Planned[],
  connection: Connection,
  vault: SecretVault,
  { clock }: Pick<Ports, 'clock'>,
  lease: Lease,
): Promise<void> {
  const written: Planned[] = [];
  try {
    for (const each of planned) {
      lease.ensureHeld();
      await withRetries(clock, () =>
        vault.put(each.name, each.value, propertiesOf(each, connection, lease.now())),
      );
      written.push(each);
    }
  } catch (thrown) {
    // The refresh token is the last one: if only the response to its write was lost, everything is stored.
    const [left, ...more] = planned.slice(written.length);
    if (left && more.length === 0 && (await isStored(left, vault))) return;
    // Only client credentials are undone, and no process has used them yet. The vault may have executed the last write as well.
    const begun = isTransient(thrown) ? planned.slice(0, written.length + 1) : written;
    const undone = begun.filter(({ what }) => what !== 'refreshToken');
    const names = undone.map(({ name }) => name).join(', ');
    const isUndone = await undo(undone, connection, vault, lease.now()).then(
      () => true,
      () => false,
    );
    if (!(thrown instanceof RotatorError) || names === '') throw thrown;
    const { code, message, fix, retryAfterMs } = thrown;
    const what = isUndone
      ? `Nothing is stored: the command undid its writes of ${names}.`
      : `The command may have stored ${names}, and could not undo that.`;
    throw new RotatorError({ code, message: `${message} ${what}`, fix }, { retryAfterMs });
  }
}

/** @throws RotatorError if the vault does not tell; then nothing is undone either, and the user can run the command again */
async function isStored({ name, value }: Planned, vault: SecretVault): Promise<boolean> {
  const found = await find(vault, name);
  return found !== 'absent' && found.value === value;
}

/**
 * The next rotation must use the new refresh token immediately, even if the old access token is fresh or a recent attempt
 * failed.
 */
async function makeDue(lease: Lease, { grant }: Connection): Promise<void> {
  // Everything is stored by now. If the record cannot be written, the connection is only due later.
  await lease
    .read()
    .then((record) =>
      lease.write(attemptAt(grant === 'client_credentials' ? removalEnded(record) : record, DUE_NOW)),
    )
    .catch(() => {});
}

/** Repeats the work if the vault is briefly unavailable: otherwise the user would have to sign in again. */
async function withRetries<T>(clock: Ports['clock'], work: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work();
    } catch (thrown) {
      if (!isTransient(thrown) || attempt === ATTEMPTS) throw thrown;
      const pause = backoff({ first: FIRST_PAUSE_MS, longest: LONGEST_PAUSE_MS, attempt });
      await clock.sleep(Math.max(pause, Math.min(thrown.retryAfterMs ?? 0, LONGEST_PAUSE_MS)));
    }
  }
}

function isTransient(thrown: unknown): thrown is RotatorError {
  return thrown instanceof RotatorError && /^vault_(unavailable|throttled)$/.test(thrown.code);
}

/** The rotator has no permission to delete: a secret that did not exist before stays disabled, with the tag of the connection. */
async function undo(
  written: readonly Planned[],
  connection: Connection,
  vault: SecretVault,
  now: number,
): Promise<void> {
  for (const each of written.toReversed()) {
    const { name, found } = each;
    const properties = propertiesOf(each, connection, now);
    const old = found === 'absent' ? undefined : found.value;
    if (found === 'absent' || old === undefined)
      await vault.put(name, 'undone', { ...properties, enabled: false });
    else if (found.properties.expiresAt !== undefined || properties.expiresAt === undefined)
      await vault.put(name, old, { ...properties, ...found.properties, tags: found.tags });
    else
      await vault.put(name, old, {
        ...properties,
        ...found.properties,
        tags: withExpiration(found.tags, 'horizon'),
      });
  }
}

/** The error that names the secrets in the way. */
export function notOurs(names: readonly string[], { vaults }: Connection): RotatorError {
  return new RotatorError({
    code: 'secret_not_managed',
    message: `${names.join(', ')} in ${vaults.credential} already ${names.length === 1 ? 'exists and does' : 'exist and do'} not belong to this connection. Nothing was written.`,
    fix: 'Choose another name for the connection, or add --replace to overwrite.',
  });
}

/** The error that says what works today. */
export function alreadyWorks({ name, secrets }: Connection, record: ConnectionRecord): RotatorError {
  return new RotatorError({
    code: 'connection_works',
    message: `${stateOfWorking(name, record)} Nothing was written.`,
    fix: `Keep ${secrets.refreshToken} as it is, or add --replace to replace the credentials of ${name}.`,
  });
}

/** What works today, in one or two sentences. */
export function stateOfWorking(name: string, { rotatedAt, phase, accessToken }: ConnectionRecord): string {
  const state =
    phase.state === 'idle'
      ? 'works'
      : 'has a token request whose outcome is not known yet, and worked before';
  const time = (at: number) => new Date(at).toISOString();
  const until = accessToken ? ` Its access token expires at ${time(accessToken.expiresAt)}.` : '';
  return `${name} ${state}: its last rotation succeeded at ${time(rotatedAt ?? 0)}.${until}`;
}
