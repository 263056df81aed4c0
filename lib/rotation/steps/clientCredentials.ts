import { RotatorError } from '../../errors.ts';
import { type ConnectionLog, logOf } from '../../log.ts';
import { type ClientKey, type Connection, usesClientSecret } from '../core/connection.ts';
import { bareValue, unusableSecret } from '../core/credentialValue.ts';
import type { ConnectionRecord, RecordedFailure } from '../core/record.ts';
import { expiringSoon } from '../core/status.ts';
import { deadlineOf } from '../core/tags.ts';
import type { TokenRequest } from '../core/tokenRequest.ts';
import type { Ports, Secret } from '../ports.ts';
import type { ClientProof, ProcessMemory, RememberedCredentials } from '../processMemory.ts';
import { ensureAllowed, ensureKeyAllowed, type NamedSecret } from './allowedSecret.ts';

type Sources = RecordedFailure['clearedBy'];

/** What a token request says about the client. */
export type SentClient = Pick<TokenRequest, 'clientId' | 'clientSecret' | 'clientAssertion'>;

/**
 * The client id, and what proves the client's identity: client secrets or keys. They are remembered while all goes well, and read again
 * when in doubt.
 */
export class ClientCredentials {
  readonly #connection: Connection;
  readonly #ports: Pick<Ports, 'vault' | 'assertions'>;
  readonly #memory: ProcessMemory;
  readonly #log: ConnectionLog;

  constructor(
    connection: Connection,
    ports: Pick<Ports, 'vault' | 'assertions' | 'log'>,
    memory: ProcessMemory,
  ) {
    this.#connection = connection;
    this.#ports = ports;
    this.#memory = memory;
    this.#log = logOf(ports.log, connection.name);
  }

  /**
   * The client id and all proofs, from memory or from the credential vault.
   * @throws RotatorError if one is missing, empty, malformed or cannot be read
   */
  async read(): Promise<RememberedCredentials> {
    const { fingerprint, clientId, secrets } = this.#connection;
    const known = this.#memory.credentials.get(fingerprint);
    if (known) return known;
    const sources: Sources = [];
    const id = clientId ?? (await this.#readSecret(secrets.clientId, 'the client id', sources)).value;
    const proofs = await this.#readProofs(sources);
    // Copies: an array that has grown has room for sixteen more, and these stay in memory for each connection.
    const credentials = { clientId: id, proofs: [...proofs], sources: [...sources] };
    this.#memory.credentials.set(fingerprint, credentials);
    return credentials;
  }

  async #readProofs(sources: Sources): Promise<readonly ClientProof[]> {
    const { clientAuthentication, clientKeys = [], secrets } = this.#connection;
    const proofs: ClientProof[] = [];
    for (const key of clientKeys) proofs.push(await this.#readKey(key, sources));
    for (const name of usesClientSecret(clientAuthentication) ? secrets.clientSecrets : []) {
      const secret = await this.#readSecret(name, 'the client secret', sources);
      proofs.push(proofOf(secret, { secret: secret.value }));
    }
    return proofs.length > 0 ? proofs : [{ version: clientAuthentication }];
  }

  async #readKey(key: ClientKey, sources: Sources): Promise<ClientProof> {
    const { kind, name } = key;
    if (kind === 'secret') {
      const secret = await this.#readSecret(key, 'the private key as PEM', sources);
      return proofOf(secret, { key: { key, secret } });
    }
    const vaultKey = await this.#ports.assertions.read(this.#connection, key);
    if (!vaultKey) throw keyMissing(this.#connection, key);
    ensureKeyAllowed(this.#connection, key, vaultKey);
    sources.push({ secret: name, kind, version: vaultKey.version, setAt: vaultKey.createdAt });
    return proofOf(vaultKey, { key: { key, vaultKey } });
  }

  async #readSecret(named: NamedSecret, what: string, sources: Sources): Promise<Secret> {
    const isSent = typeof named === 'string';
    const name = isSent ? named : named.name;
    const { credential: vaultUrl } = this.#connection.vaults;
    const vault = this.#ports.vault(vaultUrl);
    const secret = await vault.get(name);
    if (secret) await ensureAllowed(this.#connection, named, secret, vault);
    const place = { secret: name, vaultUrl, what, isSent };
    const unusable = unusableSecret(secret, place);
    if (!secret || unusable) throw unusable;
    sources.push({ secret: name, version: secret.version, setAt: secret.createdAt });
    return { ...secret, value: bareValue(secret.value) };
  }

  /**
   * What one token request sends to prove the client's identity. An assertion is a new one each time.
   * @param now milliseconds since the epoch
   * @throws RotatorError if an assertion cannot be made
   */
  async prove(clientId: string, proof: ClientProof, now: number): Promise<SentClient> {
    const { assertions } = this.#ports;
    const clientSecret = proof.secret ?? '';
    if (proof.key) {
      const clientAssertion = await assertions.sign(this.#connection, clientId, proof.key, now);
      return { clientId, clientSecret, clientAssertion };
    }
    if (this.#connection.clientAuthentication !== 'managed_identity_federation')
      return { clientId, clientSecret };
    return { clientId, clientSecret, clientAssertion: await assertions.federate(this.#connection) };
  }

  /** Reads them again at the next use: the provider refused these. */
  forget(): void {
    this.#memory.credentials.delete(this.#connection.fingerprint);
  }

  /**
   * Forgets them if they may have been replaced: something failed since, this process does not know the refresh token (an
   * operator who signed in again may have done so with another client), or one expires soon. Costs nothing in
   * the steady state.
   */
  forgetDoubtful({ failure }: ConnectionRecord, latest: Secret, now: number): void {
    const isKnown = this.#memory.refreshTokens.get(this.#connection.name) === latest.version;
    if (failure || !isKnown || expiringSoon(this.#expiries(), now).length > 0) this.forget();
  }

  /**
   * Logs, after a rotation, which credentials an operator has to replace soon.
   * @param record as it is after the rotation
   */
  warnOfExpiry(record: ConnectionRecord, now: number): void {
    const { refreshToken: secret } = this.#connection.secrets;
    const { refreshTokenEndIsFixed, refreshTokenExpiresAt: expiresAt } = record;
    const all = [...this.#expiries(), ...(refreshTokenEndIsFixed ? [{ secret, expiresAt }] : [])];
    for (const expiring of expiringSoon(all, now)) this.#log('warn', 'credential_expiring', expiring);
  }

  /** As the `exp` attribute in the vault says, of the client secrets and keys in memory. */
  #expiries() {
    const { fingerprint, secrets } = this.#connection;
    const { proofs = [] } = this.#memory.credentials.get(fingerprint) ?? {};
    return proofs.map(({ key, expiresAt }, index) => ({
      secret: key?.key.name ?? secrets.clientSecrets[index] ?? '',
      expiresAt,
    }));
  }
}

/** Without what nothing needs any more: it stays in memory for each connection. */
function proofOf(
  found: Pick<Secret, 'version' | 'tags' | 'expiresAt'>,
  proves: Pick<ClientProof, 'secret' | 'key'>,
): ClientProof {
  const expiresAt = deadlineOf(found);
  return { version: found.version, ...proves, ...(expiresAt !== undefined && { expiresAt }) };
}

function keyMissing({ name: connection, vaults }: Connection, { kind, name }: ClientKey): RotatorError {
  return new RotatorError(
    {
      code: 'key_missing',
      message: `The ${kind} ${name} does not exist in ${vaults.credential}.`,
      fix: `Create the ${kind} ${name} in the vault, recover it if it was deleted, or correct clientKey of ${connection}. The rotator detects the change.`,
    },
    { clearedBy: [{ secret: name, kind: kind === 'secret' ? undefined : kind, version: null }] },
  );
}
