import { type Problem, problemOf, RotatorError } from '../errors.ts';
import { logOf } from '../log.ts';
import { type Connection, publishedSecrets } from './core/connection.ts';
import { bareValue, unusableSecret } from './core/credentialValue.ts';
import { blocked } from './core/outcome.ts';
import { writtenElsewhere } from './core/ownership.ts';
import { type ConnectionRecord, type RecordedFailure, removalBegun, removalDone } from './core/record.ts';
import { deadlineOf, isManaged } from './core/tags.ts';
import { MOST_LOOKS, REMOVAL_PATIENCE_MS, REMOVAL_PAUSE_MS } from './core/times.ts';
import type { Ports, SecretVault, SecretVersion } from './ports.ts';
import { ProcessMemory } from './processMemory.ts';
import { ensureAllowed } from './steps/allowedSecret.ts';
import { ClientCredentials } from './steps/clientCredentials.ts';
import { type Lease, underLease } from './steps/lease.ts';

type ClearedBy = RecordedFailure['clearedBy'];

/** What became of a connection that an operator removed. */
export interface Removal {
  readonly connection: string;
  readonly provider: string;
  /** The provider confirmed that it does not accept the refresh token any more. */
  readonly revoked: boolean;
  /** So many versions of secrets were disabled: refresh tokens, access tokens, connection strings. */
  readonly disabled: number;
  /** Until when access tokens that were read before may be used, milliseconds since the epoch; undefined if unknown. */
  readonly accessTokenExpiresAt?: number;
  /** What did not succeed, with its fix. The connection is paused nevertheless. */
  readonly problems: readonly Problem[];
}

/**
 * Removes a connection, for example after a leak. Nothing is deleted: the record says that the connection is paused, the refresh
 * token is revoked if that is asked for, and then it is disabled with everything that was published. It may be run again at any
 * time, also after it was interrupted. Only a refresh token that an operator sets later is used again.
 *
 * First it pauses, under the lease: no process begins a token request after that. A process without the lease may still wait for a
 * response and save what it gets, so the removal waits for that time and looks at the vault again afterwards. What is saved even later
 * stays in the vault; the next look of the rotator reports it and does not use it.
 * @param revoke ask the provider to revoke the refresh token (RFC 7009)
 * @throws RotatorError `in_progress` if a rotation does not end, `owned_elsewhere`, `secret_not_allowed`, `vault_*`, `storage_*`
 */
export async function removeConnection(
  connection: Connection,
  revoke: boolean,
  ports: Ports,
): Promise<Removal> {
  const { clock } = ports;
  const endsAt = clock.monotonic() + REMOVAL_PATIENCE_MS;
  let hasBegun = false;
  for (;;) {
    try {
      return await underLease(connection, ports, (lease) => {
        hasBegun = true;
        return new Leased(connection, ports, lease).remove(revoke);
      });
    } catch (thrown) {
      const isRunning = thrown instanceof RotatorError && thrown.code === 'in_progress';
      // If the lease was lost, an operator may have signed in again meanwhile.
      if (!isRunning || hasBegun || clock.monotonic() >= endsAt) throw thrown;
      await clock.sleep(REMOVAL_PAUSE_MS);
    }
  }
}

/** A removal of one connection, under its lease. */
class Leased {
  readonly #connection: Connection;
  readonly #ports: Ports;
  readonly #lease: Lease;
  readonly #vault: SecretVault;
  readonly #problems: Problem[] = [];
  #disabled = 0;

  constructor(connection: Connection, ports: Ports, lease: Lease) {
    this.#connection = connection;
    this.#ports = ports;
    this.#lease = lease;
    this.#vault = ports.vault(connection.vaults.credential);
  }

  async remove(revoke: boolean): Promise<Removal> {
    const { name, provider } = this.#connection;
    const stored = await this.#lease.read();
    const problem = writtenElsewhere(this.#connection, stored);
    if (problem) throw new RotatorError(problem);
    const paused = stored.removedAt === undefined ? this.#paused(stored) : stored;
    await this.#lease.write(paused);
    await this.#responsesArrive(paused);
    // An earlier run has disabled it without revoking it. A disabled version cannot be read.
    if (
      revoke &&
      this.#hasRefreshToken &&
      stored.removedAt !== undefined &&
      stored.revokedAt === undefined &&
      stored.version
    )
      await this.#vault.enable(this.#connection.secrets.refreshToken, stored.version);
    const { newest, revokedAt } = await this.#endGrant(revoke);
    await this.#endPublished();
    const done = removalDone(paused, { version: newest, revokedAt });
    await this.#lease.write(waitingFor(done, await this.#awaited(done)));
    const revoked = done.revokedAt !== undefined;
    const more = { revoked, disabled: this.#disabled };
    logOf(this.#ports.log, name)('warn', 'connection_removed', more);
    const { copiesExpireAt } = done;
    return {
      connection: name,
      provider,
      ...more,
      ...(copiesExpireAt !== undefined && { accessTokenExpiresAt: copiesExpireAt }),
      problems: this.#problems,
    };
  }

  #paused(record: ConnectionRecord): ConnectionRecord {
    const { name } = this.#connection;
    const now = this.#lease.now();
    const problem: Problem = {
      code: 'connection_removed',
      message: `rotator remove paused ${name}: its tokens are not used any more.`,
      fix: `Run rotator connect ${name} to use it again, or delete its entry from the connections file.`,
    };
    const context = { connection: this.#connection, now, scheduleIntervalMs: this.#ports.scheduleIntervalMs };
    return removalBegun(blocked(record, problem, [], context), now);
  }

  /** A process that lost the lease, or gave it back, may still wait for a response. */
  async #responsesArrive({ phase, replacedAwaitedUntil = 0 }: ConnectionRecord): Promise<void> {
    const awaitedUntil = phase.state === 'requesting' ? phase.awaitedUntil : 0;
    const ms = Math.max(awaitedUntil, replacedAwaitedUntil) - this.#lease.now();
    if (ms > 0) await this.#ports.clock.sleep(ms);
  }

  get #hasRefreshToken(): boolean {
    return this.#connection.grant !== 'client_credentials';
  }

  async #endGrant(revoke: boolean): Promise<{ newest: string | undefined; revokedAt: number | undefined }> {
    if (this.#hasRefreshToken) return this.#endRefreshTokens(revoke);
    const { name } = this.#connection;
    if (revoke)
      this.#problems.push({
        code: 'revocation_failed',
        message: `${name} has no refresh token to revoke: its client gets tokens as long as the provider accepts its credentials.`,
        fix: `Delete the credentials of the client of ${name} at the provider, then create new ones if it is still needed.`,
      });
    return { newest: undefined, revokedAt: undefined };
  }

  /** What an operator replaces when the connection is to be used again. */
  async #awaited({ version }: ConnectionRecord): Promise<ClearedBy> {
    const { refreshToken: secret } = this.#connection.secrets;
    if (this.#hasRefreshToken) return [{ secret, version: version ?? null }];
    const client = new ClientCredentials(this.#connection, this.#ports, new ProcessMemory());
    // Credentials that cannot be read do not end the removal; the command connect does.
    return client.read().then(
      ({ sources }) => sources,
      () => [],
    );
  }

  /** Revokes and disables every version that can be read, the newest first, until a look finds no more. */
  async #endRefreshTokens(
    revoke: boolean,
  ): Promise<{ newest: string | undefined; revokedAt: number | undefined }> {
    const { refreshToken } = this.#connection.secrets;
    let newest: string | undefined;
    let revokedAt: number | undefined;
    for (let look = 1; look <= MOST_LOOKS; look++) {
      const all = await this.#versions();
      const [latest] = all;
      if (!latest) return { newest, revokedAt };
      if (look === 1) await ensureAllowed(this.#connection, refreshToken, latest, this.#vault);
      newest = latest.version;
      // An operator may have set a new token meanwhile. What a late process saves has our tags.
      const found = all.filter(({ enabled = true, tags }) => enabled && (look === 1 || isManaged(tags)));
      if (found.length === 0) return { newest, revokedAt };
      if (revoke && (await this.#revokeAll(found))) revokedAt = this.#lease.now();
      for (const { version } of found) await this.#disable(this.#vault, refreshToken, version);
    }
    return { newest, revokedAt };
  }

  /** The newest first. A listing may not show yet what a GET returns. */
  async #versions(): Promise<readonly SecretVersion[]> {
    const { refreshToken } = this.#connection.secrets;
    const latest = await this.#vault.get(refreshToken).catch((thrown: RotatorError) => {
      if (thrown.code !== 'secret_disabled') throw thrown;
    });
    const listed = await this.#vault.versions(refreshToken);
    const isListed = listed.some(({ version }) => version === latest?.version);
    const all: SecretVersion[] = latest && !isListed ? [latest, ...listed] : [...listed];
    return all.sort((one, other) => other.createdAt - one.createdAt);
  }

  /** @returns whether the provider revoked all of them; if not, `problems` has the reason */
  async #revokeAll(versions: readonly SecretVersion[]): Promise<boolean> {
    const { name, secrets, vaults } = this.#connection;
    const place = { secret: secrets.refreshToken, vaultUrl: vaults.credential, what: 'a refresh token' };
    try {
      const client = new ClientCredentials(this.#connection, this.#ports, new ProcessMemory());
      const { clientId, proofs } = await client.read();
      let unsendable: RotatorError | undefined;
      for (const { version } of versions) {
        const secret = await this.#vault.get(secrets.refreshToken, version);
        const value = bareValue(secret?.value ?? '');
        if (value === '') continue;
        const unusable = unusableSecret(secret, place);
        unsendable ??= unusable;
        if (unusable) continue;
        let problem: Problem | undefined;
        for (const proof of proofs) {
          const sent = await client.prove(clientId, proof, this.#lease.now());
          problem = await this.#ports.revoke({ connection: this.#connection, ...sent, refreshToken: value });
          if (!problem) break;
        }
        if (problem) throw new RotatorError(problem);
      }
      if (unsendable) throw unsendable;
      return true;
    } catch (thrown) {
      if (!(thrown instanceof RotatorError)) throw thrown;
      const { code, message, fix } = thrown;
      const isSaid = code === 'revocation_failed';
      this.#problems.push({
        code: 'revocation_failed',
        message: isSaid ? message : `The refresh token of ${name} was not revoked. ${message}`,
        fix: isSaid ? fix : `${fix} Then run rotator remove ${name} --revoke again.`,
      });
      return false;
    }
  }

  /** Only versions that the rotator wrote for this connection, and that have not expired. */
  async #endPublished(): Promise<void> {
    const { name } = this.#connection;
    const isOurs = ({ tags }: SecretVersion) =>
      isManaged(tags) && tags.connection?.toLowerCase() === name.toLowerCase();
    for (const secret of publishedSecrets(this.#connection)) {
      const vault = this.#ports.vault(secret.vault);
      try {
        const now = this.#lease.now();
        const living = (await vault.versions(secret.name)).filter(
          (each) => each.enabled !== false && (deadlineOf(each) ?? Number.POSITIVE_INFINITY) > now,
        );
        for (const each of living.filter(isOurs)) await this.#disable(vault, secret.name, each.version);
      } catch (thrown) {
        if (!(thrown instanceof RotatorError)) throw thrown;
        const problem = problemOf(thrown);
        const fix = `${problem.fix} Then run rotator remove ${name} again, or add --via to let the functions do it.`;
        this.#problems.push({ ...problem, fix });
      }
    }
  }

  async #disable(vault: SecretVault, secret: string, version: string): Promise<void> {
    // Without the lease it may be the token of another sign-in.
    this.#lease.ensureHeld();
    await vault.disable(secret, version);
    this.#disabled++;
  }
}

/** Another version of one of these clears the block. */
function waitingFor(record: ConnectionRecord, clearedBy: ClearedBy): ConnectionRecord {
  return record.failure ? { ...record, failure: { ...record.failure, clearedBy } } : record;
}
