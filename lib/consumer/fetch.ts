import { apiOrigin } from './apiOrigin.ts';
import { newerToken } from './newerToken.ts';
import type { TokenReader } from './tokenReader.ts';

/**
 * A `fetch` that sends the access token to one API. If the API responds with 401, it reads the token again. If that gives another
 * token and the body can be sent again (not a stream), it repeats the request once.
 *
 * Other origins get no token, not even after a redirect. A redirected request is not repeated, because its first part was executed.
 * @param api any address of the API; its origin counts
 * @param send sends the requests in place of the global `fetch`
 * @throws TypeError if `api` is neither https nor this machine; a request fails with TokenUnavailable if there is no valid token
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

/** A stream can be sent only once, and so can the body of a `Request`. */
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
