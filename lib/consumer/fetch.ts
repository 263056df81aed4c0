import { apiOrigin } from './apiOrigin.ts';
import { newerToken } from './newerToken.ts';
import type { TokenReader } from './tokenReader.ts';

/**
 * A `fetch` that sends the access token to one API. A 401 there has the token read again; where that gives another one and the
 * body can be sent again (no stream), the request is repeated once.
 *
 * Other origins get no token, not by a redirect either. A request that was redirected is not repeated: its first part was executed.
 * @param api any address of the API; its origin counts
 * @param send what sends the requests, in place of the global `fetch`
 * @throws TypeError where `api` is neither https nor this machine; TokenUnavailable when a request is made without a valid token
 */
export function fetchWithToken(
  reader: TokenReader,
  api: string | URL,
  send: typeof fetch = fetch,
): typeof fetch {
  const origin = apiOrigin(api);
  return async (input, init) => {
    if (new URL(input instanceof Request ? input.url : input).origin !== origin) return send(input, init);
    const signal = init?.signal ?? (input instanceof Request ? input.signal : undefined);
    const { token } = await reader.get({ signal });
    const answer = await send(input, authorized(input, init, token));
    if (answer.status !== 401 || answer.redirected || !isReplayable(input, init)) return answer;
    const newer = await newerToken(reader, token, signal);
    if (newer === undefined) return answer;
    await answer.body?.cancel();
    return send(input, authorized(input, init, newer));
  };
}

function authorized(
  input: Parameters<typeof fetch>[0],
  init: RequestInit | undefined,
  token: string,
): RequestInit {
  const headers = new Headers(init?.headers ?? (input instanceof Request ? input.headers : undefined));
  headers.set('authorization', `Bearer ${token}`);
  return { ...init, headers };
}

/** A stream is gone once it was sent, and so is the body of a `Request`. */
function isReplayable(input: Parameters<typeof fetch>[0], init: RequestInit | undefined): boolean {
  const body: unknown = init?.body ?? (input instanceof Request ? input.body : undefined);
  const kinds = [URLSearchParams, ArrayBuffer, Blob, FormData];
  return (
    body == null ||
    typeof body === 'string' ||
    ArrayBuffer.isView(body) ||
    kinds.some((kind) => body instanceof kind)
  );
}
