import type { CustomFetchOptions } from 'oauth4webapi';
import { readAddress } from '../config/address.ts';
import { RotatorError } from '../errors.ts';
import { readLimited } from '../readLimited.ts';

const TIMEOUT_MS = 15_000;
/** Metadata and token answers have a few kilobytes. */
const LONGEST_BODY = 256 * 1024;

/**
 * The `fetch` that the library for the flows is given: https only, no redirect, bounded in time and size. The ID token is
 * taken out of answers: nobody reads it here, and where endpoints were named by hand its issuer could not be checked.
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
    const answer = await fetch(url, { ...init, redirect: 'manual', signal });
    const { status, headers } = answer;
    const bytes = await readLimited(answer.body, LONGEST_BODY);
    if (bytes === undefined) throw tooLong(url);
    const body = withoutIdToken(new TextDecoder().decode(bytes));
    const bodyless = status === 204 || status === 205 || status === 304;
    return new Response(bodyless ? null : body, { status, headers: plainHeaders(headers) });
  };
}

/** The body was decoded and may be shorter than it was. Behind a challenge (401) the library would not look at the error in the body. */
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
    message: `The address ${URL.parse(address)?.host ?? 'of an endpoint'} ${cause}: nothing was sent there.`,
    fix: 'Name an authorization server that is reached by https.',
  });
}

function tooLong({ host }: URL): RotatorError {
  return new RotatorError({
    code: 'authorization_failed',
    message: `${host} answered more than ${LONGEST_BODY / 1024} KB.`,
    fix: 'Check the addresses: an authorization server answers a few kilobytes.',
  });
}
