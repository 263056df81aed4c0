import { problemOf, RotatorError } from '../../errors.ts';
import { type ConnectionLog, logOf } from '../../log.ts';
import type { Connection } from '../core/connection.ts';
import {
  currentVersion,
  falseOrigins,
  lagsBehind,
  reconciled as reconciledRecord,
  showsThePast,
} from '../core/currentVersion.ts';
import { isAwaited, NO_REFRESH_TOKEN, type Reason, type Skip, type Stop } from '../core/decide.ts';
import {
  blocked,
  notStored,
  type OutcomeContext,
  problemIn,
  type RotationResult,
  requestFailed,
  retryLater,
  succeeded,
  thrownAt,
  tokenTimes,
  waitsForReplay,
} from '../core/outcome.ts';
import { withoutRivals, writtenElsewhere } from '../core/ownership.ts';
import {
  accessTokenNoted,
  attemptAt,
  awaitedNoted,
  type ConnectionRecord,
  gaveUp,
  intended,
  intentWithdrawn,
  lookedInVain,
  publishableNoted,
  refreshTokenExpiryNoted,
  settled,
  summaryOf,
  versionLost,
} from '../core/record.ts';
import { SCHEDULE_FIX, scheduleWarnings } from '../core/scheduleFit.ts';
import { type Intent, isUnsentCopy } from '../core/tags.ts';
import {
  isReusable,
  isShortLived,
  LEASE_MS,
  lastLookDelay,
  MOST_LOOKS,
  refreshTokenExpiry,
} from '../core/times.ts';
import type { IssuedAccessToken, TokenResponse } from '../core/tokenRequest.ts';
import type { Ports, Secret } from '../ports.ts';
import type { ProcessMemory } from '../processMemory.ts';
import type { Flight } from '../providerHost.ts';
import { ClientCredentials } from './clientCredentials.ts';
import { decideWithoutToken, decideWithToken, type Question } from './gather.ts';
import { Lease, LeaseLost } from './lease.ts';
import { NoRefreshToken } from './noRefreshToken.ts';
import { Publication, publishedTimes } from './publication.ts';
import { RefreshTokenSecret } from './refreshToken.ts';
import { type AnnouncedRequest, type TokenOutcome, TokenRequestSender } from './sendTokenRequest.ts';
import { giveBackWrites } from './writes.ts';

/** One call of `rotate`. */
export interface Call {
  readonly connection: Connection;
  readonly force: boolean;
  readonly flight: Flight;
  /** Called if the provider has not responded in the usual time. */
  readonly onSlowResponse: () => void;
  /** Called if the next sweep should repeat the request. */
  readonly onHandover: () => void;
  /** Called if the refresh token still waits for its vault after the patience of the caller is over. */
  readonly onSlowSave: () => void;
}

/** A request that is announced, why it is sent, and what is written to the vault about it. */
interface Request extends AnnouncedRequest {
  readonly reason: Reason;
  readonly intent: Intent;
}

/** One rotation of one connection. It has no changing state of its own; its parts have, for example the lease. */
export class Rotation {
  readonly #call: Call;
  readonly #connection: Connection;
  readonly #ports: Ports;
  readonly #memory: ProcessMemory;
  readonly #log: ConnectionLog;
  readonly #lease: Lease;
  readonly #token: RefreshTokenSecret;
  readonly #client: ClientCredentials;
  readonly #sender: TokenRequestSender;
  readonly #publication: Publication;

  constructor(call: Call, ports: Ports, memory: ProcessMemory) {
    const { connection } = call;
    this.#call = call;
    this.#connection = connection;
    this.#ports = ports;
    this.#memory = memory;
    this.#log = logOf(ports.log, connection.name);
    const lease = new Lease(ports, connection, (record) => memory.records.note(record));
    this.#lease = lease;
    const kind = connection.grant === 'client_credentials' ? NoRefreshToken : RefreshTokenSecret;
    this.#token = new kind(connection, { ports, lease, memory });
    this.#client = new ClientCredentials(connection, ports, memory);
    this.#sender = new TokenRequestSender(connection, { ports, lease, memory }, this.#client);
    this.#publication = new Publication(connection, ports, lease);
  }

  async run(): Promise<RotationResult> {
    const startedAt = this.#ports.clock.monotonic();
    try {
      const result = await this.#steps().catch((thrown) => this.#failed(thrown));
      if (this.#lease.taken) this.#logResult(result, Math.round(this.#ports.clock.monotonic() - startedAt));
      return result;
    } finally {
      await this.#lease.release();
    }
  }

  /** The eight steps of the protocol, in order. */
  async #steps(): Promise<RotationResult> {
    // 1. Take the lease: no other process works on this connection until it is released.
    if (!(await this.#lease.take())) return this.#unused(this.#result('in_progress'));

    // 2. Gather what the decision needs, and 3. decide; the record alone is often enough.
    let record = await this.#lease.read();
    const problem = writtenElsewhere(this.#connection, record);
    // Nothing is written: the record is another deployment's.
    if (problem) return this.#result('blocked', { reason: 'owned_elsewhere', problem });
    const early = await decideWithoutToken(this.#question(record), this.#ports);
    if (early) return this.#unused(await this.#skip(record, early));

    let reconciled: string | undefined;
    for (let look = 1; look <= MOST_LOOKS; look++) {
      const lookedAt = this.#ports.clock.monotonic();
      const decision = await decideWithToken(this.#question(record), this.#ports, reconciled);
      if (decision.action === 'reconcile') {
        record = await this.#reconcile(record, decision.latest);
        reconciled = record.version;
        continue;
      }
      if (decision.action === 'wait' || decision.action === 'block') return this.#stop(record, decision);

      // 4. Prove that the result can be stored, before anything is spent.
      const unproven = await this.#unproven(record, decision.latest);
      const { record: prepared, sent: token } = await this.#token.prepare(record, decision.latest);
      if (
        prepared.replacedAwaitedUntil !== record.replacedAwaitedUntil &&
        isAwaited(prepared, this.#lease.now())
      ) {
        record = prepared;
        continue; // another rotator was faster: look again
      }
      const proven = await this.#publication.prove(prepared, unproven);
      const request = this.#requestFor(proven, token, decision.reason);
      let outcome: TokenOutcome;
      try {
        // 5. Announce the request, in the record first: after a crash, the next process knows that it may be out.
        await this.#lease.write(request.record);
        await this.#token.announce(request.sent, request.intent);
        // A process that was stopped may have its lease again, and not know of an operator's token, or of another deployment.
        const isOld = this.#ports.clock.monotonic() - lookedAt > LEASE_MS;
        if ((isOld || request.reason === 'replay') && (await this.#wasReplaced(request))) {
          record = withdrawn(request);
          await this.#lease.write(record);
          continue; // for example, the sender of the earlier request lives, and saved what it got: look again
        }
        // 6. Send it.
        outcome = await this.#sender.send(request, { ...this.#call, onHandover: () => this.#handOver() });
      } catch (thrown) {
        return this.#failed(thrown, withdrawn(request)); // nothing was sent
      }
      if (outcome.refused) return this.#withdraw(request);

      // 7. Save the refresh token, before anything else and whatever else the response says.
      const saved = await this.#save(request, outcome);
      if (!outcome.answer.failure) this.#call.flight.end();
      if (saved instanceof RotatorError)
        return this.#finish(notStored(settled(request.record), saved, this.#context()));

      // 8. Publish the access token, disable superseded versions, and record the outcome.
      const { accessToken, failure } = outcome.answer;
      if (saved) this.#memory.kept.delete(this.#connection.name);
      else if (accessToken) this.#memory.kept.add(this.#connection.name);
      if (accessToken) return this.#publish(request, { ...outcome, accessToken }, saved);
      const refused = failure.class === 'reauthorization_required' && !saved;
      if (!refused || !(await this.#token.wasReplaced(request.sent).catch(() => false)))
        return this.#notIssued(request, outcome, saved);
      // Another refresh token has taken its place: look again.
      record = gaveUp(await this.#lease.read(), this.#lease.now());
    }
    throw new RotatorError({
      code: 'vault_unavailable',
      message: `The refresh token of ${this.#connection.name} kept changing during the rotation.`,
      fix: 'Find out what else writes the secret, and stop it. The rotation is tried again automatically.',
    });
  }

  /** What still arrives is saved; only the process that takes the lease next publishes. */
  #handOver(): void {
    this.#log('warn', 'lease_handed_over', {});
    void this.#lease.release();
    this.#call.onHandover();
  }

  #question(record: ConnectionRecord): Question {
    const { connection, force } = this.#call;
    return { connection, force, record, now: () => this.#lease.now() };
  }

  /** Nothing is done now. Only a look at a blocked connection is recorded. */
  async #skip(record: ConnectionRecord, { reason, until, looked }: Skip): Promise<RotationResult> {
    const now = this.#lease.now();
    if (looked) return { ...(await this.#finish(lookedInVain(record, now))), reason };
    const retryAfterMs = Math.max(0, Math.ceil(until - now));
    return this.#result(reason, { reason, retryAfterMs, ...problemIn(record) });
  }

  /** Nothing is done now. The record says why, unless nothing is wrong. */
  async #stop(record: ConnectionRecord, decision: Stop): Promise<RotationResult> {
    const context = this.#context();
    if (decision.action === 'wait' && decision.reason !== 'outcome_unknown') {
      const result = decision.reason === 'too_early' ? 'not_due' : 'awaiting_response';
      const ended = await this.#finish(
        attemptAt(record, decision.until),
        record.failure ? undefined : result,
      );
      return { ...ended, reason: decision.reason };
    }
    if (decision.action === 'wait') {
      const waiting = waitsForReplay(record, decision.until, context);
      return this.#finish(waiting, waiting.failure?.blocked ? undefined : 'outcome_unknown');
    }
    const { refreshToken: secret } = this.#connection.secrets;
    const clearedBy = [{ secret, version: decision.latest?.version ?? null }];
    return this.#finish(blocked(record, decision.problem, clearedBy, context));
  }

  /**
   * Searches the versions of the refresh token for the one that counts, stores the finding in the record, and only then
   * repairs the vault: after a crash in between, the next process finds the same.
   * @param latest what Key Vault answers when no version is named
   * @returns the stored record; after a repair its `version` names the new copy, which is not stored yet
   */
  async #reconcile(record: ConnectionRecord, latest: Secret): Promise<ConnectionRecord> {
    const all = await this.#token.versions(record.version, latest);
    if (isUnsentCopy(latest.tags)) await this.#token.ensureOwned(latest, all);
    for (const version of falseOrigins(all)) this.#log('warn', 'false_origin_ignored', { version });
    const versions = withoutRivals(all, this.#ports.records.host);
    const found = currentVersion(record, versions, latest.version);
    if (found.finding === 'gone') return record;
    const { finding, winner } = found;
    const now = this.#lease.now();
    if (showsThePast(record, versions, { latest, winner }, now))
      throw new RotatorError({
        code: 'vault_unavailable',
        message: `The vault does not show the newest refresh token of ${this.#connection.name} yet.`,
        fix: 'Wait: the rotator looks again. If the error persists, check the state of the vault in the Azure portal.',
      });
    const published = lagsBehind(record, found)
      ? await publishedTimes(this.#connection, this.#ports)
      : undefined;
    const known = reconciledRecord(record, found, now, published);
    const { version } = record;
    const isLost = version !== undefined && !all.some((each) => each.version === version);
    const noted = isLost ? versionLost(known, version) : known;
    const next = awaitedNoted(noted, this.#token.awaitedElsewhere(record, all, winner));
    if (next !== record) await this.#lease.write(next);
    this.#token.supersede(winner, versions, latest.version);
    this.#log('info', 'refresh_token_reconciled', { finding, version: winner.version });
    return winner.version === latest.version ? next : this.#token.rewrite(next, winner, latest);
  }

  /** Reads what the request and the publication need, before anything is written. @throws RotatorError */
  async #unproven(record: ConnectionRecord, latest: Secret) {
    this.#client.forgetDoubtful(record, latest, this.#lease.now());
    await this.#client.read();
    return this.#publication.unproven(record);
  }

  /** The rotation ends without a new version. */
  #unused(result: RotationResult): RotationResult {
    giveBackWrites(this.#connection, this.#ports.pacer, this.#memory.kept);
    return result;
  }

  #requestFor(before: ConnectionRecord, sent: Secret, reason: Reason): Request {
    const startedAt = this.#lease.now();
    const record = intended(before, startedAt, this.#call.force, isReusable(this.#connection.behavior));
    const intent = { startedAt, epoch: record.epoch, store: this.#ports.records.host };
    return { before, record, sent, reason, intent };
  }

  /** Is another token the latest by now? The sender of an earlier request may have been stopped, or waited for the vault. */
  async #wasReplaced({ before: { phase }, sent }: Request): Promise<boolean> {
    const { clock } = this.#ports;
    if (phase.state === 'requesting')
      await clock.sleep(lastLookDelay(phase, this.#connection.behavior, this.#lease.now()));
    return this.#token.wasReplaced(sent);
  }

  /** The last moment check said no: nothing was sent. */
  async #withdraw(request: Request): Promise<RotationResult> {
    const record = attemptAt(withdrawn(request), this.#lease.now());
    try {
      await this.#lease.write(record);
    } catch (thrown) {
      return this.#failed(thrown, record);
    }
    if (request.before.phase.state === 'idle') await this.#token.clearAnnouncement(request.sent);
    return this.#result(this.#memory.draining ? 'draining' : 'in_progress');
  }

  /** Step 7. @returns undefined if the response brought no other refresh token than the one that was sent */
  async #save(
    { record, sent }: Request,
    { answer, issuedAt }: TokenOutcome,
  ): Promise<ConnectionRecord | RotatorError | undefined> {
    const { refreshToken: value } = answer;
    // A response without a refresh token in its request should bring none (RFC 6749 section 4.4.3).
    if (value === undefined || value === sent.value || sent === NO_REFRESH_TOKEN) return undefined;
    const received = {
      value,
      obtainedWith: sent,
      expiresAt: this.#refreshTokenExpiry(record, answer, issuedAt),
    };
    return this.#token.save(record, received, this.#call.onSlowSave).catch((thrown) => {
      if (thrown instanceof RotatorError) return thrown; // too large for any vault
      throw thrown;
    });
  }

  #refreshTokenExpiry(
    { familyStartedAt }: ConnectionRecord,
    { refreshTokenLifetimeMs: lifetimeMs }: TokenResponse,
    issuedAt: number,
  ): number | undefined {
    return refreshTokenExpiry({ issuedAt, lifetimeMs }, this.#connection.behavior, familyStartedAt);
  }

  /** Step 8, with an access token. @param saved the record with the saved refresh token, if there was one */
  async #publish(
    request: Request,
    outcome: TokenOutcome & { readonly accessToken: IssuedAccessToken },
    saved: ConnectionRecord | undefined,
  ): Promise<RotationResult> {
    const { answer, client, issuedAt, accessToken } = outcome;
    const expiry = () => this.#refreshTokenExpiry(request.record, answer, issuedAt);
    const record = saved ?? refreshTokenExpiryNoted(request.record, expiry());
    const { generation, refreshTokenExpiresAt } = record;
    const issued = { accessToken, issuedAt, generation, refreshTokenExpiresAt };
    const refreshToken = answer.refreshToken ?? request.sent.value;
    let reached = settled(record);
    let unpublished: RotatorError | undefined;
    try {
      await this.#publication.writeAccessToken(issued);
      reached = accessTokenNoted(record, tokenTimes(accessToken, issuedAt));
      const values = { ...client, accessToken: accessToken.value, refreshToken };
      await this.#publication.writeConnectionString(issued, values);
    } catch (thrown) {
      if (!(thrown instanceof RotatorError)) throw thrown;
      unpublished = thrown;
    }
    // No consumer waits for it; and a crash here leaves the intent, so that the next look at the vault finds what was left.
    await this.#token.disableSuperseded(request.sent, saved !== undefined);
    const result = unpublished
      ? await this.#finish(notStored(publishableNoted(reached, undefined), unpublished, this.#context()))
      : await this.#succeed(request, issued, record);
    if (!saved) await this.#token.clearAnnouncement(request.sent, record);
    return result;
  }

  async #succeed(
    { before, reason }: Request,
    { accessToken, issuedAt }: { readonly accessToken: IssuedAccessToken; readonly issuedAt: number },
    record: ConnectionRecord,
  ): Promise<RotationResult> {
    const times = tokenTimes(accessToken, issuedAt);
    const done = succeeded(before, record, times, this.#context());
    await this.#lease.write(done);
    const { scheduleIntervalMs } = this.#ports;
    if (isShortLived(times, scheduleIntervalMs))
      this.#log('warn', 'access_token_short_lived', { lifetimeMs: accessToken.lifetimeMs });
    for (const message of scheduleWarnings(this.#connection, summaryOf(done), scheduleIntervalMs))
      this.#log('warn', 'schedule_too_rare', { message, fix: SCHEDULE_FIX });
    this.#client.warnOfExpiry(done, this.#lease.now());
    const { generation } = done;
    return this.#result('rotated', { reason, generation, expiresAt: issuedAt + accessToken.lifetimeMs });
  }

  /** Step 8, without an access token. */
  async #notIssued(
    request: Request,
    { answer: { failure }, credentials }: TokenOutcome,
    saved: ConnectionRecord | undefined,
  ): Promise<RotationResult> {
    if (!failure) throw new Error('A response without an access token is a failure.');
    if (saved) {
      await this.#token.disableSuperseded(request.sent, true);
      return this.#finish(retryLater(saved, failure, this.#context()));
    }
    const next = requestFailed(request, failure, credentials, this.#context());
    const isKnown = next.phase.state === 'idle';
    const result = await this.#finish(next, isKnown || next.failure?.blocked ? undefined : 'outcome_unknown');
    if (isKnown) await this.#token.clearAnnouncement(request.sent);
    return result;
  }

  /**
   * Everything that was thrown ends here: it becomes part of the record, unless another process has the lease by now.
   * @param record the record to store; default: the record as it is stored now
   */
  async #failed(thrown: unknown, record?: ConnectionRecord): Promise<RotationResult> {
    try {
      if (thrown instanceof LeaseLost || !this.#lease.taken) throw thrown;
      return await this.#finish(thrownAt(record ?? (await this.#lease.read()), thrown, this.#context()));
    } catch (again) {
      if (again instanceof LeaseLost) {
        this.#log('warn', 'lease_lost', {});
        return this.#result('in_progress');
      }
      const problem = problemOf(thrown);
      this.#log('error', 'record_not_written', { ...problem });
      return this.#result('retrying', { problem });
    }
  }

  /** Stores a record with a failure. @param result default: `blocked` or `retrying`, from the record's failure */
  async #finish(record: ConnectionRecord, result?: RotationResult['result']): Promise<RotationResult> {
    await this.#lease.write(record);
    const retryAfterMs = Math.max(0, Math.ceil(record.nextAttemptAt - this.#lease.now()));
    const ended = result ?? (record.failure?.blocked ? 'blocked' : 'retrying');
    return this.#result(ended, { ...problemIn(record), retryAfterMs });
  }

  #result(
    result: RotationResult['result'],
    more: Omit<RotationResult, 'result' | 'connection'> = {},
  ): RotationResult {
    return { result, connection: this.#connection.name, ...more };
  }

  #context(): OutcomeContext {
    return {
      connection: this.#connection,
      now: this.#lease.now(),
      scheduleIntervalMs: this.#ports.scheduleIntervalMs,
    };
  }

  #logResult({ result, reason, generation, expiresAt, problem }: RotationResult, totalMs: number): void {
    const isQuiet = ['rotated', 'not_due', 'cooldown', 'draining'].includes(result);
    const expires = expiresAt === undefined ? undefined : new Date(expiresAt).toISOString();
    const fields = { result, reason, generation, expires, totalMs, ...problem };
    this.#log(isQuiet ? 'info' : 'warn', 'rotation_finished', fields);
  }
}

/** The record of a request that was certainly not sent. */
function withdrawn({ record, before }: AnnouncedRequest): ConnectionRecord {
  return intentWithdrawn(record, before);
}
