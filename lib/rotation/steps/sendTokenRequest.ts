import { type ConnectionLog, logOf } from '../../log.ts';
import type { Connection } from '../core/connection.ts';
import { mayRepeat, tellsMore } from '../core/outcome.ts';
import type { ConnectionRecord, Phase, RecordedFailure } from '../core/record.ts';
import { handoverTime, LEASE_MARGIN_MS, replayTime, SHORTEST_WAIT_MS, SLOW_MS } from '../core/times.ts';
import type { TokenResponse } from '../core/tokenRequest.ts';
import type { Ports, Secret } from '../ports.ts';
import type { ProcessMemory, RememberedCredentials } from '../processMemory.ts';
import type { Flight } from '../providerHost.ts';
import type { ClientCredentials, SentClient } from './clientCredentials.ts';
import type { Lease } from './lease.ts';

/** A token request that the record and the vault know. */
export interface AnnouncedRequest {
  /** The record before the announcement: if a request was out already, this one repeats it. */
  readonly before: ConnectionRecord;
  /** The record as it is stored, in the phase `requesting`. */
  readonly record: ConnectionRecord;
  /** The refresh token that is sent. */
  readonly sent: Secret;
}

/** What is told while a response is awaited. */
interface Waiting {
  readonly flight: Flight;
  /** Called if the provider has not responded in the usual time. */
  readonly onSlowResponse: () => void;
  /** Called if there is still no response, and the next sweep should repeat the request within its grace period. */
  readonly onHandover: () => void;
}

type Awaited = Pick<AnnouncedRequest, 'sent'> & {
  readonly phase: Extract<Phase, { state: 'requesting' }>;
  readonly waiting: Waiting;
};

/** What came of sending a refresh token. */
export interface TokenOutcome {
  readonly answer: TokenResponse;
  /** The lease ran short, the process began to drain, or the time for a replay was over: the last request was not sent. */
  readonly refused: boolean;
  /** What the client's credentials were read from. */
  readonly credentials: RecordedFailure['clearedBy'];
  /** The client as it was sent last. */
  readonly client: SentClient;
  /** When the request was about to be sent, by the storage service's time in milliseconds: lifetimes count from here. */
  readonly issuedAt: number;
}

/**
 * Sends a token request, and sends it again only if that is known to be harmless: with the next client secret or key after
 * `invalid_client`, and once after a lost response while its grace period still runs.
 */
export class TokenRequestSender {
  readonly #connection: Connection;
  readonly #ports: Ports;
  readonly #lease: Lease;
  readonly #memory: ProcessMemory;
  readonly #client: ClientCredentials;
  readonly #log: ConnectionLog;

  constructor(
    connection: Connection,
    { ports, lease, memory }: { ports: Ports; lease: Lease; memory: ProcessMemory },
    client: ClientCredentials,
  ) {
    this.#connection = connection;
    this.#ports = ports;
    this.#lease = lease;
    this.#memory = memory;
    this.#client = client;
    this.#log = logOf(ports.log, connection.name);
  }

  /**
   * Returns when the response has arrived, or is not awaited any longer, whatever happens to the lease in the meantime.
   * @throws RotatorError if the client's credentials cannot be read; nothing was sent then
   */
  async send({ before, record, sent }: AnnouncedRequest, waiting: Waiting): Promise<TokenOutcome> {
    const issuedAt = this.#lease.now();
    // The decision was made some requests ago, and the grace that allowed a replay may have run out since.
    const mayStart = () => {
      const now = this.#lease.now();
      return replayTime(before, this.#connection.behavior, this.#ports.scheduleIntervalMs, now) <= now;
    };
    const { phase } = record;
    if (phase.state === 'idle') throw new Error('A token request is announced before it is sent.');
    const announced = { sent, phase, waiting };
    const first = { ...(await this.#withEachProof(announced, mayStart)), issuedAt };
    const inGrace = () => mayRepeat(record, first.answer, this.#connection, this.#lease.now());
    if (first.refused || !inGrace()) return first;
    this.#log('warn', 'token_request_repeated', { code: first.answer.failure?.code });
    const again = await this.#withEachProof(announced, inGrace).catch(() => first);
    return tellsMore(again) ? { ...again, issuedAt } : first;
  }

  /**
   * `invalid_client` proves that the request was not processed: the next client secret or key may follow, first those remembered, then
   * those in the vault now. An answer that brought a refresh token is the last in any case. A key that cannot sign is passed over.
   */
  async #withEachProof(request: Awaited, allowed: () => boolean): Promise<Omit<TokenOutcome, 'issuedAt'>> {
    const tried = new Set<string>();
    let outcome: Omit<TokenOutcome, 'issuedAt'> | undefined;
    let unproven: unknown;
    for (const _ of ['remembered', 'read again']) {
      // Before the first request, an error in reading the credentials is thrown. After one, the outcome so far is kept.
      const credentials: RememberedCredentials | undefined = outcome
        ? await this.#client.read().catch(() => undefined)
        : await this.#client.read();
      for (const proof of credentials?.proofs ?? []) {
        if (!credentials || tried.has(`${credentials.clientId} ${proof.version}`)) continue;
        tried.add(`${credentials.clientId} ${proof.version}`);
        const client = await this.#client
          .prove(credentials.clientId, proof, this.#lease.now())
          .catch((thrown: unknown) => {
            unproven ??= thrown;
          });
        if (!client) continue;
        const sent = await this.#sendOnce(client, request, allowed);
        outcome = { ...sent, credentials: credentials.sources, client };
        const { refused, answer } = outcome;
        if (refused || answer.failure?.class !== 'client_rejected' || answer.refreshToken !== undefined)
          return outcome;
        this.#log('warn', 'client_secret_rejected', { version: proof.version });
      }
      this.#client.forget();
    }
    if (!outcome) throw unproven;
    return outcome;
  }

  async #sendOnce(client: TokenOutcome['client'], { sent, phase, waiting }: Awaited, allowed: () => boolean) {
    await this.#lease.ensureCoversSend();
    const waitMs = () => phase.awaitedUntil - LEASE_MARGIN_MS - this.#lease.now();
    let refused = false;
    // Asked synchronously before the first byte: a process that was frozen since the last check must not send.
    const mayStillSend = () => {
      const isTooLate = waitMs() < SHORTEST_WAIT_MS || !this.#lease.coversSend();
      refused = this.#memory.draining || isTooLate || !allowed();
      return !refused;
    };
    const { clock, tokenEndpoint } = this.#ports;
    const startedAt = clock.monotonic();
    const request = { connection: this.#connection, ...client, refreshToken: sent.value };
    const responded = new AbortController();
    const unlessResponded = (ms: number, act: () => void) =>
      void clock.sleep(ms, responded.signal).then(() => responded.signal.aborted || act());
    unlessResponded(SLOW_MS, waiting.onSlowResponse);
    const handover = handoverTime(phase, this.#connection.behavior, this.#ports.scheduleIntervalMs);
    if (handover < phase.awaitedUntil) unlessResponded(handover - this.#lease.now(), waiting.onHandover);
    const answer = await tokenEndpoint.send(request, { mayStillSend, waitMs: waitMs() });
    responded.abort('responded');
    const { failure, malformed } = answer;
    if (!refused) waiting.flight.responded(failure);
    if (malformed !== undefined) this.#log('warn', 'token_response_malformed', { why: malformed });
    this.#log(failure ? 'warn' : 'info', 'token_response_received', {
      outcome: failure?.class ?? 'granted',
      refreshTokenReceived: answer.refreshToken !== undefined,
      requestMs: Math.round(clock.monotonic() - startedAt),
      ...(failure && { code: failure.code, message: failure.message }),
    });
    return { answer, refused };
  }
}
