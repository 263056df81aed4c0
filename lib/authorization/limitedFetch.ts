import type { CustomFetchOptions } from 'oauth4webapi';
import { Agent, fetch, type RequestInit } from 'undici';
import { readAddress } from '../config/address.ts';
import { RotatorError } from '../errors.ts';
import { type Reach, reachOf, refusedKind } from '../oauth/egress.ts';
import { secureConnector } from '../oauth/secureConnector.ts';
import { readLimited } from '../readLimited.ts';
import type { TokenBehavior } from '../rotation/core/connection.ts';
import { safeCodeOf } from '../safeText.ts';

const TIMEOUT_MS = 15_000;
/** Where requests may go, and when to stop. */
interface FetchRules {
  readonly allowLoopbackHttp: boolean;
  readonly allowPrivateNetwork?: boolean;
  readonly signal: AbortSignal;
  /** Of the body: `json` instead of a form. */
  readonly format?: TokenBehavior['requestFormat'];
}

/** Metadata and token responses have a few kilobytes. */
const LONGEST_BODY = 256 * 1024;

/**
 * The `fetch` for the library that implements the flows: https only, no redirect, bounded in time and size, over the connector of
 * the token requests. It removes the ID token from responses: no code here reads it, and its issuer could not be checked if the
 * user set the endpoints.
 */
export function limitedFetch({
  allowLoopbackHttp,
  allowPrivateNetwork = false,
  signal: interrupted,
  format,
}: FetchRules) {
  return async (address: string, options: CustomFetchOptions<string, unknown>): Promise<Response> => {
    const { url, cause } = readAddress(address, { allowLoopbackHttp });
    if (!url) throw refused(address, cause);
    const signal = AbortSignal.any([interrupted, AbortSignal.timeout(TIMEOUT_MS)]);
    const form = (options.body ?? null) as URLSearchParams | null;
    const isJson = format === 'json' && form !== null;
    const init = {
      method: options.method,
      headers: { ...options.headers, ...(isJson && { 'content-type': 'application/json' }) },
      body: isJson ? JSON.stringify(Object.fromEntries(form)) : form,
    };
    const reach = reachOf(url, { allowLoopback: allowLoopbackHttp, allowPrivateNetwork });
    const { status, headers, bytes } = await send(url, reach, { ...init, redirect: 'manual', signal });
    if (bytes === undefined) throw tooLong(url);
    const body = withoutIdToken(new TextDecoder().decode(bytes));
    const bodyless = status === 204 || status === 205 || status === 304;
    return new Response(bodyless ? null : body, { status, headers: plainHeaders(headers) });
  };
}

/** @throws the error below that of `fetch`, because only that one has a code */
async function send(url: URL, reach: Reach, init: RequestInit) {
  let dispatcher: Agent | undefined;
  try {
    dispatcher = new Agent({ connect: secureConnector(url, reach, { timeoutMs: TIMEOUT_MS }) });
    const { status, headers, body } = await fetch(url, { ...init, dispatcher });
    return { status, headers, bytes: await readLimited(body, LONGEST_BODY) };
  } catch (thrown) {
    const cause = (thrown as Error).cause ?? thrown;
    const kind = refusedKind(safeCodeOf(cause) ?? '');
    throw kind ? refused(url.href, `is not allowed (${kind} address)`) : cause;
  } finally {
    await dispatcher?.destroy();
  }
}

/**
 * `fetch` has decoded the body, and its length may have changed. After a challenge (401) the library would ignore the error in
 * the body.
 */
function plainHeaders(headers: Iterable<[string, string]>): Headers {
  const plain = new Headers([...headers]);
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
