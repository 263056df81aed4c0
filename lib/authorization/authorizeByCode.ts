import { setTimeout as sleep } from 'node:timers/promises';
import {
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomState,
  validateAuthResponse,
} from 'oauth4webapi';
import { RotatorError } from '../errors.ts';
import { authorizationError, clientOf, interrupted, readResponse, tokensOf, userAddress } from './client.ts';
import { type LoopbackServer, startLoopbackServer } from './loopbackServer.ts';
import type { AuthorizationRequest, ObtainedTokens } from './request.ts';

/** How the user gets to the provider. */
export interface Browser {
  /** Shows the address and opens it if there is a browser. */
  open(url: string): void;
  /** The address to which the provider sends the browser back: http on a loopback host. */
  readonly redirectUri: string;
  /** The time that the user has for the sign-in, in milliseconds. */
  readonly patienceMs: number;
}

/**
 * The authorization code grant (RFC 6749 section 4.1) with PKCE (RFC 7636) on a loopback redirect (RFC 8252).
 * @throws RotatorError `authorization_*`, `client_rejected`, `refresh_token_not_issued`, `interrupted`
 */
export async function authorizeByCode(
  request: AuthorizationRequest,
  browser: Browser,
): Promise<ObtainedTokens> {
  const { server } = request;
  const endpoint = userAddress(server.authorization_endpoint ?? '', request, noEndpoint);
  const state = generateRandomState();
  const loopback = await startLoopbackServer(browser.redirectUri, state);
  const verifier = generateRandomCodeVerifier();
  try {
    const { redirectUri } = loopback;
    const challenge = await calculatePKCECodeChallenge(verifier);
    browser.open(authorizationAddress(request, endpoint, { redirectUri, state, challenge }));
    const parameters = await waitFor(loopback, browser.patienceMs, request.signal);
    return await exchange(request, { parameters, state, verifier, redirectUri });
  } catch (thrown) {
    throw authorizationError(thrown, request);
  } finally {
    await loopback.close();
  }
}

function authorizationAddress(
  { clientId, parameters }: AuthorizationRequest,
  endpoint: string,
  { redirectUri, state, challenge }: { redirectUri: string; state: string; challenge: string },
): string {
  const url = new URL(endpoint);
  const all = {
    ...parameters,
    response_type: 'code',
    client_id: clientId,
    redirect_uri: redirectUri,
    state,
    code_challenge: challenge,
    code_challenge_method: 'S256',
  };
  for (const [name, value] of Object.entries(all)) url.searchParams.set(name, value);
  return url.href;
}

async function waitFor(
  loopback: LoopbackServer,
  patienceMs: number,
  signal: AbortSignal,
): Promise<URLSearchParams> {
  const over = new AbortController();
  const stop = AbortSignal.any([signal, over.signal]);
  const time = sleep(patienceMs, undefined, { signal: stop }).then(
    () => Promise.reject(timedOut(patienceMs, loopback.ignored)),
    () => Promise.reject(interrupted()),
  );
  try {
    return await Promise.race([loopback.parameters, time]);
  } finally {
    over.abort();
    time.catch(() => {});
  }
}

/** The parameters that the browser brought back, and the values of the sign-in that they must fit. */
interface Returned {
  readonly parameters: URLSearchParams;
  readonly state: string;
  readonly verifier: string;
  readonly redirectUri: string;
}

async function exchange(request: AuthorizationRequest, returned: Returned): Promise<ObtainedTokens> {
  const { server } = request;
  const { state, verifier, redirectUri } = returned;
  const { client, authentication, tokenOptions } = clientOf(request);
  const parameters = validateAuthResponse(server, client, returned.parameters, state);
  const code = parameters.get('code') ?? '';
  try {
    const response = await authorizationCodeGrantRequest(
      server,
      client,
      authentication,
      parameters,
      redirectUri,
      verifier,
      tokenOptions,
    );
    const read = await readResponse(response, request);
    return { ...tokensOf(read, request, verifier, code), redirectUri };
  } catch (thrown) {
    throw authorizationError(thrown, request, verifier, code);
  }
}

function noEndpoint(): RotatorError {
  return new RotatorError({
    code: 'authorization_failed',
    message: 'The authorization server has no valid authorization endpoint.',
    fix: 'Set --authorization-endpoint, or sign in with --device.',
  });
}

/** @param ignored whether pages of other sign-ins came back */
function timedOut(patienceMs: number, ignored: boolean): RotatorError {
  const why = ignored
    ? 'It returned only the parameters of another sign-in (their state does not match), which were ignored.'
    : 'It was closed, or the redirect URI is not registered at the provider.';
  return new RotatorError({
    code: 'authorization_expired',
    message: `The browser did not return within ${Math.round(patienceMs / 1000)} s. ${why}`,
    fix: 'Close old sign-in pages, run the command again and finish the sign-in. If this machine has no browser, use --device.',
  });
}
