import { createHash, randomBytes } from 'node:crypto';
import { CookieJar } from './cookieJar.ts';
import { DEFAULT_SCOPE } from './seed.ts';
import type { LocalClient } from './types.ts';

const MAX_REDIRECTS = 10;

/** Who asks whom for what. */
export interface ObtainOptions {
  issuer: string;
  client: LocalClient;
  /** Needs `offline_access` for a refresh token, and `openid` for the resource endpoint. */
  scope?: string | undefined;
}

/** What the code flow ends with. */
export interface ObtainedTokens {
  refreshToken: string;
  accessToken: string;
}

/** Obtains the first tokens as a browser and a web application would: authorization code flow with PKCE. */
export async function obtainRefreshToken(options: ObtainOptions): Promise<ObtainedTokens> {
  const { issuer, client, scope = DEFAULT_SCOPE } = options;
  const endpoints = await discover(issuer);
  const state = randomBytes(16).toString('base64url');
  const verifier = randomBytes(32).toString('base64url');
  const start = new URL(endpoints.authorization);
  start.search = new URLSearchParams({
    response_type: 'code',
    client_id: client.clientId,
    redirect_uri: client.redirectUri,
    scope,
    state,
    prompt: 'consent',
    code_challenge: createHash('sha256').update(verifier).digest('base64url'),
    code_challenge_method: 'S256',
  }).toString();
  const arrived = await followRedirects(start, client.redirectUri);
  return exchangeCode(endpoints.token, client, readCode(arrived, state), verifier);
}

async function discover(issuer: string): Promise<{ authorization: string; token: string }> {
  const response = await fetch(`${issuer}/.well-known/openid-configuration`);
  const metadata = (await response.json()) as Record<string, string>;
  return { authorization: metadata.authorization_endpoint ?? '', token: metadata.token_endpoint ?? '' };
}

/** Walks from the authorization endpoint to the application's redirect URI, which is not called. */
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

function readCode(arrived: URL, state: string): string {
  const error = arrived.searchParams.get('error');
  if (error !== null) throw new Error(`authorization refused: ${error}`);
  const code = arrived.searchParams.get('code');
  if (code === null || arrived.searchParams.get('state') !== state) {
    throw new Error('authorization answered without a code for this request');
  }
  return code;
}

async function exchangeCode(
  tokenEndpoint: string,
  client: LocalClient,
  code: string,
  verifier: string,
): Promise<ObtainedTokens> {
  const form = new URLSearchParams({
    grant_type: 'authorization_code',
    code,
    redirect_uri: client.redirectUri,
    code_verifier: verifier,
  });
  const headers = authenticate(client, form);
  const response = await fetch(tokenEndpoint, { method: 'POST', headers, body: form });
  const body = (await response.json()) as Record<string, unknown>;
  if (!response.ok) throw new Error(`code exchange failed: ${String(body.error)}`);
  const { refresh_token: refreshToken, access_token: accessToken } = body;
  if (typeof refreshToken !== 'string' || typeof accessToken !== 'string') {
    throw new Error('no refresh token issued: ask for the scope offline_access');
  }
  return { refreshToken, accessToken };
}

function authenticate(client: LocalClient, form: URLSearchParams): Record<string, string> {
  const { clientId, clientSecret } = client;
  if (client.clientAuthentication === 'client_secret_post') {
    form.set('client_id', clientId);
    form.set('client_secret', clientSecret);
    return {};
  }
  const credentials = [clientId, clientSecret].map(encodeURIComponent).join(':');
  return { authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
}
