import { performance } from 'node:perf_hooks';
import { type Dispatcher, errors } from 'undici';
import { safeCodeOf } from '../safeText.ts';

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

/** A response, or the part of it that arrived. */
export interface Received {
  readonly status: number;
  readonly contentType: string | undefined;
  readonly contentEncoding: string | undefined;
  readonly retryAfter: string | undefined;
  readonly body: Uint8Array;
}

/**
 * The result of one request. `why` is a code such as `ECONNREFUSED`: it contains no part of the request.
 * `malformed` says in the same way what is wrong with the HTTP of a response that was read nevertheless.
 */
export type ExchangeResult =
  | ({ readonly kind: 'response'; readonly malformed?: string } & Received)
  | { readonly kind: 'not_sent'; readonly refused: boolean; readonly why: string }
  | { readonly kind: 'no_response'; readonly why: string; readonly received?: Received };

/** One request and its response, as undici reports them. The first result counts. */
export class Exchange implements Dispatcher.DispatchHandler {
  readonly startedAt = performance.now();
  readonly result: Promise<ExchangeResult>;
  readonly #settle: (result: ExchangeResult) => void;
  readonly #mayStart: () => string | true;
  #sent = false;
  #begun = false;
  #head: { status: number; headers: Headers } | undefined;
  readonly #chunks: Buffer[] = [];

  /** @param mayStart called before the first byte is sent; if it returns a code, the request is not sent */
  constructor(mayStart: () => string | true) {
    this.#mayStart = mayStart;
    const { promise, resolve } = Promise.withResolvers<ExchangeResult>();
    this.result = promise;
    this.#settle = resolve;
  }

  /** Whether the first byte was sent. */
  get sent(): boolean {
    return this.#sent;
  }

  /** Whether the response has begun. Interim responses (1xx) do not count. */
  get begun(): boolean {
    return this.#begun;
  }

  /** The time since the start, in ms. */
  get elapsed(): number {
    return performance.now() - this.startedAt;
  }

  /** Ends the exchange in its current state. */
  giveUp(why: string, refused = false): void {
    if (this.#sent)
      this.#settle({ kind: 'no_response', why, ...(this.#head && { received: this.#received() }) });
    else this.#settle({ kind: 'not_sent', refused, why });
  }

  /** undici calls this when the connection is established, in the same turn in which it writes the request. */
  onRequestStart(controller: Dispatcher.DispatchController): void {
    // undici puts a request back into its queue after some connection failures. This one must not be sent twice.
    const verdict = this.#sent ? 'SENT_BEFORE' : this.#mayStart();
    if (verdict === true) {
      this.#sent = true;
      return;
    }
    this.giveUp(verdict, verdict === REFUSED);
    controller.abort(new Error(verdict));
  }

  onResponseStarted(): void {
    this.#begun = true;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Headers): void {
    this.#begun = status >= 200;
    if (this.#begun) this.#head = { status, headers };
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#chunks.push(chunk);
  }

  onResponseEnd(): void {
    this.#settle({ kind: 'response', ...this.#received() });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.giveUp(codeOf(error));
  }

  #received(): Received {
    const { status, headers } = this.#head ?? { status: 0, headers: {} };
    return receivedFrom(status, headers, Buffer.concat(this.#chunks));
  }
}

/** The code of `mayStart` if its check did not allow the request. */
export const REFUSED = 'REFUSED';

/**
 * An error's code or the name of its class. Its message may contain parts of the request or the response, except that of the parser:
 * its reason is one of its own texts.
 */
export function codeOf(error: unknown): string {
  if (error instanceof errors.HTTPParserError)
    return `HTTPParserError${PARSER_REASON.exec(error.message)?.[0] ?? ''}`;
  return safeCodeOf(error) ?? (error instanceof Error ? error.constructor.name : 'UNKNOWN');
}

const PARSER_REASON = / \([\w ,.'/-]{1,80}\)$/;

/** A response as far as its meaning depends on it. Of several headers with the same name, the first one counts. */
export function receivedFrom(status: number, headers: Headers, body: Uint8Array): Received {
  return {
    status,
    contentType: single(headers['content-type']),
    contentEncoding: single(headers['content-encoding']),
    retryAfter: single(headers['retry-after']),
    body,
  };
}

function single(value: string | string[] | undefined): string | undefined {
  return Array.isArray(value) ? value[0] : value;
}
