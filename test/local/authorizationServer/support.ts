import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import {
  type AuthorizationServer,
  type AuthorizationServerOptions,
  type LocalClient,
  startAuthorizationServer,
} from '../../../local/authorizationServer/server.ts';

/** A client for a test; single use and client_secret_post by default. */
export function localClient(overrides: Partial<LocalClient> = {}): LocalClient {
  return {
    clientId: 'app',
    clientSecret: 'the-client-secret',
    clientAuthentication: 'client_secret_post',
    rotation: 'single_use',
    redirectUri: 'http://127.0.0.1:9/callback',
    ...overrides,
  };
}

/** A server that closes with the test. A failure inside it fails the test, unless the test handles errors itself. */
export async function startForTest(
  options: Partial<AuthorizationServerOptions> = {},
): Promise<AuthorizationServer> {
  const errors: Error[] = [];
  const server = await startAuthorizationServer({
    clients: [localClient()],
    accessTokenSeconds: 30,
    onError: (error) => errors.push(error),
    ...options,
  });
  onTestFinished(async () => {
    await server.close();
    if (errors.length > 0) throw new AggregateError(errors, 'the server reported failures');
  });
  return server;
}

/** A clock that a test moves; it starts at the machine's time, as the server requires. */
export function manualClock(): { now: () => number; advance: (seconds: number) => void } {
  let time = Date.now();
  return {
    now: () => time,
    advance: (seconds) => {
      time += seconds * 1000;
    },
  };
}

/** A directory that is removed after the test. */
export async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'authorization-server-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

/** The response of a token endpoint. */
export interface TokenResponseBody {
  status: number;
  headers: Headers;
  body: { access_token?: string; refresh_token?: string; error?: string; [more: string]: unknown };
}

/** The refresh token grant, sent without a client library. */
export async function refresh(
  server: AuthorizationServer,
  refreshToken: string | undefined,
  client: LocalClient = localClient(),
): Promise<TokenResponseBody> {
  const response = await postRefresh(server, refreshToken, client);
  return {
    status: response.status,
    headers: response.headers,
    body: (await response.json()) as TokenResponseBody['body'],
  };
}

/** The same, for tests that read the raw response. */
export function postRefresh(
  server: AuthorizationServer,
  refreshToken: string | undefined,
  { clientId, clientSecret, clientAuthentication }: LocalClient = localClient(),
): Promise<Response> {
  const body = new URLSearchParams({ grant_type: 'refresh_token', refresh_token: refreshToken ?? '' });
  const headers: Record<string, string> = {};
  if (clientAuthentication === 'client_secret_post') {
    body.set('client_id', clientId);
    body.set('client_secret', clientSecret);
  } else {
    const credentials = `${encodeURIComponent(clientId)}:${encodeURIComponent(clientSecret)}`;
    headers.authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  }
  return fetch(server.tokenEndpoint, { method: 'POST', body, headers });
}

/** The status of the protected resource for an access token. */
export async function resourceStatus(
  server: AuthorizationServer,
  accessToken: string | undefined,
): Promise<number> {
  const response = await fetch(server.resourceEndpoint, {
    headers: { authorization: `Bearer ${accessToken}` },
  });
  await response.arrayBuffer();
  return response.status;
}
