import { setTimeout as sleep } from 'node:timers/promises';
import {
  authorizationCodeGrantRequest,
  calculatePKCECodeChallenge,
  generateRandomCodeVerifier,
  generateRandomState,
  processAuthorizationCodeResponse,
  validateAuthResponse,
} from 'oauth4webapi';
import { RotatorError } from '../errors.ts';
import { authorizationError, clientOf, interrupted, tokensOf, userAddress } from './client.ts';
import { type LoopbackServer, startLoopbackServer } from './loopbackServer.ts';
import type { AuthorizationRequest, ObtainedTokens } from './request.ts';

/** How the person is sent to the provider. */
export interface Browser {
  /** Shows the address and, where there is a browser, opens it. */
  open(url: string): void;
  /** Where the provider sends the browser back to: http on a loopback host. */
  readonly redirectUri: string;
  /** How long the person has, in milliseconds. */
  readonly patienceMs: number;
}

/**
 * The authorization-code grant (RFC 6749 section 4.1) with PKCE (RFC 7636) on a loopback redirect (RFC 8252).
 * @throws RotatorError `authorization_*`, `client_rejected`, `refresh_token_not_issued`, `interrupted`
 */
export async function authorizeByCode(
  request: AuthorizationRequest,
  browser: Browser,
): Promise<ObtainedTokens> {
  const { server } = request;
  const endpoint = userAddress(server.authorization_endpoint ?? '', request, noEndpoint);
  const loopback = await startLoopbackServer(browser.redirectUri);
  const state = generateRandomState();
  const verifier = generateRandomCodeVerifier();
  try {
    const { redirectUri } = loopback;
    const challenge = await calculatePKCECodeChallenge(verifier);
    browser.open(authorizationAddress(request, endpoint, { redirectUri, state, challenge }));
    const answer = await waitFor(loopback, browser.patienceMs, request.signal);
    return await exchange(request, { answer, state, verifier, redirectUri });
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
    () => Promise.reject(nobodyCame(patienceMs)),
    () => Promise.reject(interrupted()),
  );
  try {
    return await Promise.race([loopback.answer, time]);
  } finally {
    over.abort();
    time.catch(() => {});
  }
}

interface Arrived {
  readonly answer: URLSearchParams;
  readonly state: string;
  readonly verifier: string;
  readonly redirectUri: string;
}

async function exchange(request: AuthorizationRequest, arrived: Arrived): Promise<ObtainedTokens> {
  const { server } = request;
  const { answer, state, verifier, redirectUri } = arrived;
  if (answer.get('state') !== state) throw wrongState();
  const { client, authentication, options } = clientOf(request);
  const parameters = validateAuthResponse(server, client, answer, state);
  const response = await authorizationCodeGrantRequest(
    server,
    client,
    authentication,
    parameters,
    redirectUri,
    verifier,
    options,
  );
  return tokensOf(await processAuthorizationCodeResponse(server, client, response), request);
}

function noEndpoint(): RotatorError {
  return new RotatorError({
    code: 'authorization_failed',
    message: 'The authorization server names no authorization endpoint.',
    fix: 'Give --authorization-endpoint, or sign in with --device.',
  });
}

/** Somebody else's answer, or an old page: what it brings is not looked at (RFC 6749 section 10.12). */
function wrongState(): RotatorError {
  return new RotatorError({
    code: 'authorization_failed',
    message: 'What came back from the browser does not belong to this sign-in: its state is another one.',
    fix: 'Close old sign-in pages and run the command again.',
  });
}

function nobodyCame(patienceMs: number): RotatorError {
  return new RotatorError({
    code: 'authorization_expired',
    message: `Nobody came back from the browser within ${Math.round(patienceMs / 1000)} s: it was closed, or the redirect URI is not registered at the provider.`,
    fix: 'Run the command again and finish the sign-in; where this machine has no browser, use --device.',
  });
}
