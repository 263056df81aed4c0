import type { CustomFetchOptions } from 'oauth4webapi';
import { readAddress } from '../config/address.ts';
import { RotatorError } from '../errors.ts';
import { readLimited } from '../readLimited.ts';

const TIMEOUT_MS = 15_000;
/** Metadata and token responses have a few kilobytes. */
const LONGEST_BODY = 256 * 1024;

/**
 * The `fetch` for the library that implements the flows: https only, no redirect, bounded in time and size. It removes the ID
 * token from responses: no code here reads it, and its issuer could not be checked if the user set the endpoints.
 */
export function limitedFetch(allowLoopbackHttp: boolean, interrupted: AbortSignal) {
  return async (address: string, options: CustomFetchOptions<string, unknown>): Promise<Response> => {
    const { url, cause } = readAddress(address, { allowLoopbackHttp });
    if (!url) throw refused(address, cause);
    const signal = AbortSignal.any([interrupted, AbortSignal.timeout(TIMEOUT_MS)]);
    const init = {
      method: options.method,
      headers: options.headers,
      body: (options.body ?? null) as URLSearchParams | null,
    };
    const response = await fetch(url, { ...init, redirect: 'manual', signal });
    const { status, headers } = response;
    const bytes = await readLimited(response.body, LONGEST_BODY);
    if (bytes === undefined) throw tooLong(url);
    const body = withoutIdToken(new TextDecoder().decode(bytes));
    const bodyless = status === 204 || status === 205 || status === 304;
    return new Response(bodyless ? null : body, { status, headers: plainHeaders(headers) });
  };
}

/**
 * `fetch` has decoded the body, and its length may have changed. After a challenge (401) the library would ignore the error in
 * the body.
 */
function plainHeaders(headers: Headers): Headers {
  const plain = new Headers(headers);
  for (const name of ['content-encoding', 'content-length', 'transfer-encoding', 'www-authenticate'])
    plain.delete(name);
  return plain;
}

function withoutIdToken(body: string): string {
  try {
    const { id_token: _unread, ...rest } = JSON.parse(body);
    return JSON.stringify(rest);
  } catch {
    return body;
  }
}

function refused(address: string, cause: string): RotatorError {
  return new RotatorError({
    code: 'authorization_failed',
    message: `The address ${URL.parse(address)?.host ?? 'of an endpoint'} ${cause}; nothing was sent.`,
    fix: 'Use an authorization server whose endpoints have https addresses.',
  });
}

function tooLong({ host }: URL): RotatorError {
  return new RotatorError({
    code: 'authorization_failed',
    message: `${host} sent a response of more than ${LONGEST_BODY / 1024} KB.`,
    fix: 'Check the addresses: the responses of an authorization server have only a few kilobytes.',
  });
}
