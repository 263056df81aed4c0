import { Readable } from 'node:stream';
import type { Dispatcher } from 'undici';

type Headers = Parameters<NonNullable<Dispatcher.DispatchHandler['onResponseStart']>>[2];

/** A longer text is not read. A record, a secret with its attributes, or an error has a few kilobytes. */
const LONGEST_TEXT_BYTES = 1_000_000;

/** A response: its text, which is empty if it has more than a megabyte, or a body that is still to be read. */
export type AzureResponse = { readonly status: number; readonly headers: Headers } & (
  | { readonly text: string; readonly body?: undefined }
  | { readonly body: Readable; readonly text?: undefined }
);

/**
 * Receives the response to one request from undici. Its own `request` makes a stream of each body, which costs as much as sending the
 * request, and most responses here are short texts.
 */
export class ResponseReader implements Dispatcher.DispatchHandler {
  /** Rejected with the reason of the signal, or with the error of undici. */
  readonly result: Promise<AzureResponse>;
  readonly #resolve: (response: AzureResponse) => void;
  readonly #reject: (reason: unknown) => void;
  readonly #signal: AbortSignal | undefined;
  readonly #isStreamed: (status: number) => boolean;
  readonly #onAbort = () => this.#abort();
  #controller: Dispatcher.DispatchController | undefined;
  #head: { readonly status: number; readonly headers: Headers } = { status: 0, headers: {} };
  readonly #chunks: Buffer[] = [];
  #length = 0;
  #body: Readable | undefined;
  #isOver = false;

  /**
   * @param signal ends the exchange
   * @param isStreamed whether the body behind a status is passed on while it arrives
   */
  constructor(signal: AbortSignal | undefined, isStreamed: (status: number) => boolean) {
    this.#signal = signal;
    this.#isStreamed = isStreamed;
    const { promise, resolve, reject } = Promise.withResolvers<AzureResponse>();
    this.result = promise;
    this.#resolve = resolve;
    this.#reject = reject;
    signal?.addEventListener('abort', this.#onAbort);
    if (signal?.aborted) this.#abort();
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    // Given up while it waited for a connection.
    if (this.#signal?.aborted) this.#abort();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: Headers): void {
    // Interim responses come before the response.
    if (status < 200) return;
    this.#head = { status, headers };
    if (!this.#isStreamed(status)) return;
    this.#body = new Readable({
      read: () => controller.resume(),
      destroy: (error, done) => {
        if (!this.#isOver) controller.abort(error ?? new Error('The rest of the response is not needed.'));
        done(error);
      },
    });
    // Its reader learns of an error. Without a reader, the error must not end the process.
    this.#body.on('error', () => undefined);
    this.#resolve({ ...this.#head, body: this.#body });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body) {
      if (!this.#body.push(chunk)) controller.pause();
      return;
    }
    this.#chunks.push(chunk);
    this.#length += chunk.length;
    if (this.#length <= LONGEST_TEXT_BYTES) return;
    this.#chunks.length = 0;
    this.onResponseEnd();
    controller.abort(new Error('The rest of the response is not needed.'));
  }

  onResponseEnd(): void {
    this.#end();
    this.#body?.push(null);
    this.#resolve({ ...this.#head, text: Buffer.concat(this.#chunks).toString() });
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.#end();
    this.#body?.destroy(error);
    this.#reject(error);
  }

  #abort(): void {
    const reason = this.#signal?.reason as Error;
    this.#reject(reason);
    this.#controller?.abort(reason);
  }

  #end(): void {
    this.#isOver = true;
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }
}
