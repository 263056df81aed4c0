import { problemOf, RotatorError, retryAfterOf } from '../../errors.ts';
import { type ConnectionLog, logOf } from '../../log.ts';
import { refuseTooLarge } from '../../secretSize.ts';
import type { Connection } from '../core/connection.ts';
import { bareValue, unusableSecret } from '../core/credentialValue.ts';
import { awaitedElsewhere, supersededBy, toDisable } from '../core/currentVersion.ts';
import { ownedBy, ownerOfCopies } from '../core/ownership.ts';
import { awaitedNoted, type ConnectionRecord, refreshTokenSaved, versionCopied } from '../core/record.ts';
import { attributesOf, MAKESHIFT_DAYS, makeshiftAttributes } from '../core/secretAttributes.ts';
import {
  asUnsentCopy,
  deadlineOf,
  foreignStore,
  type Intent,
  isMakeshift,
  isManaged,
  isUnsentCopy,
  readOrigin,
  savedTags,
  type Tags,
  tagsTakenOver,
  withIntent,
  withoutIntent,
} from '../core/tags.ts';
import { expectedRefreshTokenExpiry, RIVAL_WAIT_MS, SAVE_PATIENCE_MS, savePause } from '../core/times.ts';
import type { Ports, Secret, SecretProperties, SecretVault, SecretVersion } from '../ports.ts';
import type { ProcessMemory } from '../processMemory.ts';
import type { Lease } from './lease.ts';

/** A refresh token that was just received, and the version it was obtained with. */
export interface ReceivedRefreshToken {
  readonly value: string;
  readonly obtainedWith: Secret;
  /** Milliseconds since the epoch, if the response or the provider's profile names a lifetime. */
  readonly expiresAt: number | undefined;
}

/** The secret that holds the refresh token: every version of it that the rotator writes, tags or disables. */
export class RefreshTokenSecret {
  readonly #connection: Connection;
  readonly #ports: Pick<Ports, 'vault' | 'records' | 'clock' | 'pacer'>;
  readonly #name: string;
  readonly #lease: Lease;
  readonly #memory: ProcessMemory;
  readonly #log: ConnectionLog;
  /** Versions that a look at the vault found to be of no use any more. */
  readonly #superseded = new Set<string>();

  constructor(
    connection: Connection,
    { ports, lease, memory }: { ports: Ports; lease: Lease; memory: ProcessMemory },
  ) {
    this.#connection = connection;
    this.#ports = ports;
    this.#name = connection.secrets.refreshToken;
    this.#lease = lease;
    this.#memory = memory;
    this.#log = logOf(ports.log, connection.name);
  }

  /** Asked for when it is used: an address that makes no client must end in the record, as every other failure does. */
  get #vault(): SecretVault {
    return this.#ports.vault(this.#connection.vaults.credential);
  }

  /**
   * Every version that any response shows, without its value. A listing may not yet show what a GET has returned, or what the
   * record proves to be there. Nor the last tags: where the record does not know the latest version, those of its parent tell
   * whether another request with that parent is in flight.
   * @throws RotatorError
   */
  async versions(recorded: string | undefined, latest: Secret): Promise<readonly SecretVersion[]> {
    const listed = await this.#vault.versions(this.#name);
    const read = [latest];
    if (recorded !== latest.version) {
      const { parent = '' } = readOrigin(latest.tags) ?? {};
      const isMissing = recorded !== undefined && !listed.some(({ version }) => version === recorded);
      const named = new Set([parent, isMissing ? recorded : '']);
      named.delete('');
      for (const version of named) {
        const found = await this.#vault.get(this.#name, version).catch(unlessUnreadable);
        if (found) read.push(found);
      }
    }
    const isRead = ({ version }: SecretVersion) => read.some((each) => each.version === version);
    return [...listed.filter((each) => !isRead(each)), ...read.map(withoutValue)];
  }

  /**
   * The refresh token that is to be sent. One that an operator set is written once more with our tags, and with the content type and
   * expiration date of its successor: that proves that its successor can be written too. So is one that the vault took with makeshift
   * attributes only. A copy that was never announced is sent only if no other rotator copied the same token earlier, and
   * if the record that is returned shows no request of another rotator that may still be answered.
   * @throws RotatorError `owned_elsewhere` if one was earlier, LeaseLost
   */
  async prepare(record: ConnectionRecord, seed: Secret): Promise<{ record: ConnectionRecord; sent: Secret }> {
    // Even without tags, a recorded token whose request is out is ours: what that request brings names it as its parent.
    const isOut = record.phase.state === 'requesting' && record.version === seed.version;
    const isProven = isOut || (isManaged(seed.tags) && !isMakeshift(seed.tags));
    const prepared = isProven ? { record, sent: seed } : await this.#copy(record, seed);
    const { sent } = prepared;
    this.#memory.refreshTokens.set(this.#connection.name, sent.version);
    if (!isUnsentCopy(sent.tags)) return prepared;
    await this.#ports.clock.sleep(RIVAL_WAIT_MS);
    const versions = await this.versions(sent.version, sent);
    await this.ensureOwned(sent, versions);
    return { sent, record: awaitedNoted(prepared.record, this.awaitedElsewhere(record, versions, sent)) };
  }

  /**
   * Until when requests may be in flight that only the tags show; undefined if there are none.
   * @param record as it was before the vault told it more
   * @param versions every version that any response showed
   * @param sent the version that is to be sent
   */
  awaitedElsewhere(
    record: ConnectionRecord,
    versions: readonly SecretVersion[],
    sent: SecretVersion,
  ): number | undefined {
    const terms = { sent, store: this.#ports.records.host, now: this.#lease.now() };
    return awaitedElsewhere(record, versions, terms);
  }

  async #copy(record: ConnectionRecord, seed: Secret): Promise<{ record: ConnectionRecord; sent: Secret }> {
    const { value, properties } = this.#copyOf(record, seed);
    const { version, createdAt, tags } = await this.#overwrite(value, properties);
    this.#log('info', 'refresh_token_copied', { version });
    if (isMakeshift(seed.tags)) this.#superseded.add(seed.version);
    return { record: versionCopied(record, version), sent: { ...seed, value, version, createdAt, tags } };
  }

  /**
   * Of several rotators that copied the same operator's token, only the first may send it. The others hand their copies to it, so that
   * the latest version names the owner in any case.
   * @param versions every version that any response showed
   * @throws RotatorError `owned_elsewhere`
   */
  async ensureOwned(copy: SecretVersion, versions: readonly SecretVersion[]): Promise<void> {
    const { host } = this.#ports.records;
    const owner = ownerOfCopies(copy, versions);
    if (owner === host) return;
    const { version, tags } = copy;
    if (foreignStore(copy, host) === undefined)
      await this.#vault.tag(this.#name, version, asUnsentCopy(tagsTakenOver(tags, owner)));
    const clearedBy = [{ secret: this.#name, version }];
    throw new RotatorError(ownedBy(owner, this.#connection, host), { clearedBy });
  }

  /** Tells, in the vault, that a request with this token is about to be sent. @throws RotatorError */
  async announce({ version, tags }: Secret, intent: Intent): Promise<void> {
    await this.#vault.tag(this.#name, version, withIntent(tags, intent));
  }

  /**
   * The outcome is known and recorded, so nothing needs the tag. If it stays, the only harm is a longer wait after a loss of the
   * record. Recorded first: a process that has lost the lease by then must not take away the intent of the next holder.
   * Never throws.
   * @param renewed the record after a rotation that keeps this token: its expiration date in the vault is renewed as well
   */
  async clearAnnouncement({ version, tags }: Secret, renewed?: ConnectionRecord): Promise<void> {
    const cleared = withoutIntent(tags);
    const properties = renewed && this.#propertiesOf(cleared, renewed.refreshTokenExpiresAt);
    // A PATCH cannot remove an expiration date, so the tag that explains it stays as well.
    const isRenewed = properties?.expiresAt !== undefined;
    await this.#vault
      .tag(this.#name, version, isRenewed ? properties.tags : cleared, properties?.expiresAt)
      .catch(() => this.#log('warn', 'announcement_not_cleared', { version }));
  }

  /** Is another version the latest by now? Another process may have been faster, or an operator. @throws RotatorError */
  async wasReplaced({ version }: Secret): Promise<boolean> {
    const latest = await this.#vault.get(this.#name);
    return latest !== undefined && latest.version !== version;
  }

  /**
   * Writes a received refresh token, and tries until the vault has taken it or the process ends: it exists nowhere else. The
   * lease does not matter here: reconciling sorts out late writes. If an Azure Policy refuses its expiration date, other dates are
   * tried: the next rotation proves that the right one is allowed before it sends the token.
   * @param onSlow called if the token still waits for its vault after `SAVE_PATIENCE_MS`
   * @returns the record with the new version and generation, not yet stored
   * @throws RotatorError `refresh_token_too_large`: no vault can take it, the only reason to give up
   */
  async save(
    record: ConnectionRecord,
    { value, obtainedWith, expiresAt }: ReceivedRefreshToken,
    onSlow: () => void,
  ): Promise<ConnectionRecord> {
    const { clock, records } = this.#ports;
    const { name } = this.#connection;
    refuseTooLarge(value, {
      code: 'refresh_token_too_large',
      what: `The new refresh token of ${name} does not fit into any vault and is lost: it`,
      fix: `Have the provider issue smaller refresh tokens for ${name}, then run rotator connect ${name}.`,
    });
    const generation = record.generation + 1;
    const origin = {
      connection: this.#connection.name,
      parent: obtainedWith.version,
      epoch: record.epoch,
      generation,
      store: records.host,
    };
    const tags = savedTags(origin, obtainedWith.tags);
    const startedAt = clock.monotonic();
    let refusals = 0;
    for (let attempts = 1; ; attempts++) {
      try {
        const { version } = await this.#vault.put(
          this.#name,
          value,
          refusals === 0
            ? this.#propertiesOf(tags, expiresAt)
            : makeshiftAttributes(tags, this.#lease.now(), refusals),
        );
        this.#memory.refreshTokens.set(this.#connection.name, version);
        const saveMs = Math.round(clock.monotonic() - startedAt);
        this.#log('info', 'refresh_token_saved', { version, generation, attempts, saveMs });
        return refreshTokenSaved(record, { version, expiresAt });
      } catch (thrown) {
        this.#log('error', 'refresh_token_save_waiting', { ...problemOf(thrown), attempts });
        if (clock.monotonic() - startedAt > SAVE_PATIENCE_MS) onSlow();
        if (problemOf(thrown).code === 'vault_policy' && ++refusals <= MAKESHIFT_DAYS.length) continue;
        await clock.sleep(savePause(attempts, retryAfterOf(thrown)));
      }
    }
  }

  /** Notes what a look at all versions found to be of no use any more once `winner` is in use. */
  supersede(winner: SecretVersion, versions: readonly SecretVersion[], latest: string): void {
    for (const version of supersededBy(winner, versions, latest)) this.#superseded.add(version);
  }

  /**
   * A process that had lost its lease wrote after others had gone on: the token that counts becomes the latest again. Its
   * tags stay: what was obtained with it may still arrive, and names the version that was sent.
   * @throws RotatorError, LeaseLost
   */
  async rewrite(
    record: ConnectionRecord,
    winner: SecretVersion,
    late: SecretVersion,
  ): Promise<ConnectionRecord> {
    const secret = await this.#vault.get(this.#name, winner.version);
    if (!secret) return record;
    const { value, properties } = this.#copyOf(record, { ...secret, ...winner });
    const { version } = await this.#overwrite(value, properties);
    this.#log('warn', 'late_write_undone', { version, late: late.version });
    this.#superseded.add(late.version).add(winner.version);
    return versionCopied(record, version);
  }

  /**
   * Disables the refresh tokens that came before the one in use and its parent: at a provider that does not revoke them they
   * are live credentials. In the steady state that is one version, which the parent's tags name; a look at the vault, after a
   * crash or when an operator set a token, finds what was left behind.
   *
   * This needs no lease: what a saved version descends from is never used again, whichever process goes on. Never throws: a
   * failure is a warning, and the rotation goes on.
   * @param sent the refresh token that was sent
   * @param saved was another one obtained with it, and saved?
   */
  async disableSuperseded(sent: SecretVersion, saved: boolean): Promise<void> {
    for (const version of toDisable(this.#superseded, sent, saved))
      if (!(await disableVersion(this.#vault, this.#name, version, this.#log))) return;
  }

  /**
   * Our copy of a refresh token: of one that we saved, with its tags; of one that an operator set, without what an editor or a pipe
   * put around it.
   * @throws RotatorError `secret_malformed`: a copy counts as issued by the provider, and would be sent
   */
  #copyOf(record: ConnectionRecord, seed: Secret): { value: string; properties: SecretProperties } {
    if (isManaged(seed.tags)) {
      const end = deadlineOf(seed) ?? record.refreshTokenExpiresAt;
      return { value: seed.value, properties: this.#propertiesOf(seed.tags, end) };
    }
    const { epoch, generation } = record;
    const { name: connection, vaults, behavior } = this.#connection;
    const place = { secret: this.#name, vaultUrl: vaults.credential, what: 'a refresh token' };
    const unusable = unusableSecret(seed, place);
    if (unusable) throw unusable;
    const origin = { connection, parent: seed.version, epoch, generation, store: this.#ports.records.host };
    const end = expectedRefreshTokenExpiry(record, behavior, this.#lease.now());
    return {
      value: bareValue(seed.value),
      properties: this.#propertiesOf(asUnsentCopy(savedTags(origin, seed.tags)), end),
    };
  }

  /** What is stored beside a refresh token that ends then, as far as is known. */
  #propertiesOf(tags: Tags, end: number | undefined): SecretProperties {
    const horizonMs = this.#connection.expirationHorizonMs;
    return attributesOf('refreshToken', tags, { end, now: this.#lease.now(), horizonMs });
  }

  /** A write that must not come over a newer one. The pacer may wait for seconds, so the lease is looked at after it. */
  async #overwrite(value: string, properties: SecretProperties): Promise<SecretVersion> {
    await this.#ports.pacer.take(this.#connection.vaults.credential, 1);
    this.#lease.ensureHeld();
    return this.#vault.put(this.#name, value, properties);
  }
}

/** A disabled version cannot be read, and its tags are in the listing. A forged name of a version is rejected. */
function unlessUnreadable(thrown: unknown): undefined {
  if (thrown instanceof RotatorError && ['secret_disabled', 'vault_rejected'].includes(thrown.code)) return;
  throw thrown;
}

function withoutValue({ value: _value, properties: _properties, ...version }: Secret): SecretVersion {
  return version;
}

/** Disables a version that holds a refresh token which nothing needs any more. Never throws. @returns false if it failed */
export async function disableVersion(
  vault: SecretVault,
  secret: string,
  version: string,
  log: ConnectionLog,
): Promise<boolean> {
  try {
    await vault.disable(secret, version);
  } catch (thrown) {
    const { code, message } = problemOf(thrown);
    log('warn', 'superseded_version_disable_failed', { secret, version, code, message });
    return false;
  }
  log('info', 'superseded_version_disabled', { secret, version });
  return true;
}
