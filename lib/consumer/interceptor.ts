import type { Dispatcher } from 'undici';
import { apiOrigin } from './apiOrigin.ts';
import { newerToken } from './newerToken.ts';
import type { TokenReader } from './tokenReader.ts';

type Options = Dispatcher.DispatchOptions;
type Handler = Dispatcher.DispatchHandler;
type Controller = Dispatcher.DispatchController;
/** Looks for a newer token and returns a function that sends the request with it; undefined if there is no newer token. */
type Again = () => Promise<(() => void) | undefined>;

/**
 * The same as `fetchWithToken` for an undici agent: `new Agent().compose(tokenInterceptor(reader, api))`. Each request, and each
 * hop of a redirect, gets the token only if it goes to the origin of the API. Strings and bytes can be sent again.
 * @param api any address of the API; its origin counts
 * @throws TypeError if `api` is neither https nor this machine; a request fails with TokenUnavailable if there is no valid token
 */
export function tokenInterceptor(
  reader: TokenReader,
  api: string | URL,
): Dispatcher.DispatcherComposeInterceptor {
  const origin = apiOrigin(api);
  return (dispatch) => (options, handler) => {
    if (!options.origin || new URL(options.origin).origin !== origin) return dispatch(options, handler);
    void sendWithToken(reader, dispatch, options, handler);
    return true;
  };
}

/** Never rejects: the handler receives every error. */
async function sendWithToken(
  reader: TokenReader,
  dispatch: Dispatcher.Dispatch,
  options: Options,
  handler: Handler,
): Promise<void> {
  const send = (token: string, to: Handler) => dispatch(authorized(options, token), to);
  try {
    const { token } = await reader.get();
    const again: Again = async () => {
      const newer = await newerToken(reader, token);
      return newer === undefined ? undefined : () => void send(newer, handler);
    };
    send(token, isReplayable(options) ? new RepeatedOnce(handler, again) : handler);
  } catch (error) {
    // undici's own dispatchers do the same for a request that never began: there is no controller yet.
    handler.onResponseError?.(null as unknown as Controller, error as Error);
  }
}

function isReplayable({ body }: Options): boolean {
  return body == null || typeof body === 'string' || ArrayBuffer.isView(body);
}

function authorized(options: Options, token: string): Options {
  const others = headerPairs(options.headers).filter(([name]) => !/^authorization$/i.test(name));
  return { ...options, headers: [...others, ['authorization', `Bearer ${token}`]].flat() };
}

/** undici accepts headers as an object, as a flat list of names and values, and as any iterable of pairs. */
function headerPairs(headers: Options['headers']): [string, string][] {
  if (!headers) return [];
  if (isFlatList(headers)) {
    return headers.flatMap((name, at) => (at % 2 === 0 ? [pair(name, headers[at + 1])] : []));
  }
  const pairs = Symbol.iterator in headers ? [...headers] : Object.entries(headers);
  return pairs.flatMap(([name, value]) => [value ?? []].flat().map((each) => pair(name, each)));
}

function pair(name: string, value: unknown): [string, string] {
  return [name, String(value)];
}

function isFlatList(headers: NonNullable<Options['headers']>): headers is string[] {
  return Array.isArray(headers) && !Array.isArray(headers[0]);
}

/**
 * Passes everything on to the caller's handler except a 401, which it holds back while it looks for a newer token. If there is
 * one, it sends the request again and the handler receives the second response only.
 */
class RepeatedOnce implements Handler {
  readonly #handler: Handler;
  readonly #again: Again;
  /** The events held back; `dropped` once the second request has been sent. */
  #held: (() => void)[] | 'dropped' | undefined;

  constructor(handler: Handler, again: Again) {
    this.#handler = handler;
    this.#again = again;
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#handler.onRequestStart?.(controller, context);
  }

  onRequestUpgrade(...event: Parameters<NonNullable<Handler['onRequestUpgrade']>>): void {
    this.#handler.onRequestUpgrade?.(...event);
  }

  onResponseStart(...event: Parameters<NonNullable<Handler['onResponseStart']>>): void {
    const [controller, status] = event;
    if (status === 401) {
      this.#held = [];
      controller.pause();
      void this.#reconsider(controller);
    }
    this.#pass(() => this.#handler.onResponseStart?.(...event));
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    this.#pass(() => this.#handler.onResponseData?.(controller, chunk));
  }

  onResponseEnd(...event: Parameters<NonNullable<Handler['onResponseEnd']>>): void {
    this.#pass(() => this.#handler.onResponseEnd?.(...event));
  }

  onResponseError(controller: Controller, error: Error): void {
    this.#pass(() => this.#handler.onResponseError?.(controller, error));
  }

  #pass(event: () => void): void {
    if (this.#held === undefined) event();
    else if (this.#held !== 'dropped') this.#held.push(event);
  }

  async #reconsider(controller: Controller): Promise<void> {
    const send = await this.#again();
    const held = this.#held;
    this.#held = send && 'dropped';
    if (send) {
      controller.abort(new Error('Sent again with a newer token.'));
      send();
    } else if (Array.isArray(held)) {
      for (const event of held) event();
      controller.resume();
    }
  }
}
