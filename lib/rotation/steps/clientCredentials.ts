import { type ConnectionLog, logOf } from '../../log.ts';
import type { Connection } from '../core/connection.ts';
import { bareValue, unusableSecret } from '../core/credentialValue.ts';
import type { ConnectionRecord, RecordedFailure } from '../core/record.ts';
import { expiringSoon } from '../core/status.ts';
import { deadlineOf } from '../core/tags.ts';
import type { Ports, Secret } from '../ports.ts';
import type { ProcessMemory, RememberedCredentials } from '../processMemory.ts';
import { ensureAllowed } from './allowedSecret.ts';

/** The client id and the client secrets of a connection: remembered while all goes well, read again when in doubt. */
export class ClientCredentials {
  readonly #connection: Connection;
  readonly #ports: Pick<Ports, 'vault'>;
  readonly #memory: ProcessMemory;
  readonly #log: ConnectionLog;

  constructor(connection: Connection, ports: Pick<Ports, 'vault' | 'log'>, memory: ProcessMemory) {
    this.#connection = connection;
    this.#ports = ports;
    this.#memory = memory;
    this.#log = logOf(ports.log, connection.name);
  }

  /**
   * The client id and all client secrets, from memory or from the credential vault.
   * @throws RotatorError if one is missing, empty, malformed or cannot be read
   */
  async read(): Promise<RememberedCredentials> {
    const { fingerprint, clientId, secrets } = this.#connection;
    const known = this.#memory.credentials.get(fingerprint);
    if (known) return known;
    const vault = this.#ports.vault(this.#connection.vaults.credential);
    const sources: RecordedFailure['clearedBy'] = [];
    const read = async (name: string, what: string): Promise<Secret> => {
      const secret = await vault.get(name);
      if (secret) await ensureAllowed(this.#connection, name, secret, vault);
      const { credential: vaultUrl } = this.#connection.vaults;
      const unusable = unusableSecret(secret, { secret: name, vaultUrl, what });
      if (!secret || unusable) throw unusable;
      sources.push({ secret: name, version: secret.version, setAt: secret.createdAt });
      return { ...secret, value: bareValue(secret.value) };
    };
    const id = clientId ?? (await read(secrets.clientId, 'the client id')).value;
    const clientSecrets: Secret[] = [];
    for (const name of secrets.clientSecrets) clientSecrets.push(await read(name, 'the client secret'));
    const credentials = { clientId: id, clientSecrets, sources };
    this.#memory.credentials.set(fingerprint, credentials);
    return credentials;
  }

  /** Reads them again at the next use: the provider refused these. */
  forget(): void {
    this.#memory.credentials.delete(this.#connection.fingerprint);
  }

  /**
   * Forgets them if they may have been replaced: something failed since, this process does not know the refresh token (an
   * operator who signed in again may have done so with another client), or a client secret expires soon. Costs nothing in
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

  /** As the `exp` attribute in the vault says, of the client secrets in memory. */
  #expiries() {
    const { fingerprint, secrets } = this.#connection;
    const { clientSecrets = [] } = this.#memory.credentials.get(fingerprint) ?? {};
    return clientSecrets.map((found, index) => {
      const secret = secrets.clientSecrets[index] ?? '';
      return { secret, expiresAt: deadlineOf(found) };
    });
  }
}
