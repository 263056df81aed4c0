import {
  allowInsecureRequests,
  authorizationCodeGrantRequest,
  ClientSecretBasic,
  ClientSecretPost,
  calculatePKCECodeChallenge,
  discoveryRequest,
  generateRandomCodeVerifier,
  generateRandomState,
  processAuthorizationCodeResponse,
  processDiscoveryResponse,
  type TokenEndpointResponse,
  validateAuthResponse,
} from 'oauth4webapi';
import { CookieJar } from './cookieJar.ts';
import { DEFAULT_SCOPE } from './seed.ts';
import type { LocalClient } from './types.ts';

const MAX_REDIRECTS = 10;
/** The server listens on loopback, without TLS. */
const OPTIONS = { [allowInsecureRequests]: true };

/**
 * Obtains the first tokens as a browser and a web application would: authorization code flow with PKCE.
 * @throws Error if the server refuses
 */
export async function signIn(issuer: string, client: LocalClient): Promise<TokenEndpointResponse> {
  const { clientSecret: secret, clientAuthentication, redirectUri } = client;
  const url = new URL(issuer);
  const server = await processDiscoveryResponse(url, await discoveryRequest(url, OPTIONS));
  const state = generateRandomState();
  const verifier = generateRandomCodeVerifier();
  const start = new URL(server.authorization_endpoint ?? '');
  start.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: redirectUri,
    scope: DEFAULT_SCOPE,
    state,
    prompt: 'consent',
    code_challenge: await calculatePKCECodeChallenge(verifier),
    code_challenge_method: 'S256',
  }).toString();
  const own = { client_id: client.clientId };
  const code = validateAuthResponse(server, own, await followRedirects(start, redirectUri), state);
  const authentication =
    clientAuthentication === 'client_secret_post' ? ClientSecretPost(secret) : ClientSecretBasic(secret);
  const response = await authorizationCodeGrantRequest(
    server,
    own,
    authentication,
    code,
    redirectUri,
    verifier,
    OPTIONS,
  );
  return processAuthorizationCodeResponse(server, own, response);
}

/** Follows the redirects from the authorization endpoint to the application's redirect URI, which is not called. */
async function followRedirects(start: URL, redirectUri: string): Promise<URL> {
  const jar = new CookieJar();
  let url = start;
  for (let step = 0; step < MAX_REDIRECTS; step += 1) {
    const response = await fetch(url, { redirect: 'manual', headers: { cookie: jar.header() } });
    await response.body?.cancel();
    jar.store(response.headers);
    const location = response.headers.get('location');
    if (location === null) throw new Error(`login stopped at ${url.pathname} with ${response.status}`);
    url = new URL(location, url);
    if (url.href.split('?', 1)[0] === new URL(redirectUri).href) return url;
  }
  throw new Error(`login did not end after ${MAX_REDIRECTS} redirects`);
}
