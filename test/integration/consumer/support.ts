import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';
import { createTokenReader, type TokenReaderOptions } from '../../../lib/consumer/index.ts';
import { API, put } from '../../local/keyVault/support.ts';
import { startTrustedVault, tokenOf } from '../azure/support.ts';

/** The token as the rotator publishes it. */
export interface Publication {
  readonly value: string;
  /** Seconds since the epoch. */
  readonly issuedAt: number;
  readonly lifetime: number;
  readonly contentType?: string;
  readonly enabled?: boolean;
}

/** 2026-01-01T00:00:00Z in seconds: the start time of the readers of these tests. */
export const START = 1_767_225_600;

/** A vault, a reader of it with a manual clock, and functions to control both. */
export async function startReading(options: Partial<TokenReaderOptions> = {}) {
  const vault = await startTrustedVault();
  const clock = { now: START * 1000 };
  const reader = createTokenReader({
    vaultUrl: vault.tlsUrl,
    connection: 'crm',
    credential: tokenOf('reader'),
    now: () => clock.now,
    ...options,
  });
  const publish = async ({ value, issuedAt, lifetime, contentType, enabled = true }: Publication) => {
    const attributes = { nbf: issuedAt, exp: issuedAt + lifetime, enabled };
    const body = { value, attributes, contentType: contentType ?? 'application/vnd.oauth.access-token' };
    const answer = await put(`${vault.url}/secrets/crm-access-token?${API}`, body);
    if (answer.status !== 200) throw new Error(`The vault answered ${answer.status}.`);
    vault.clearRequests();
  };
  return {
    vault,
    reader,
    publish,
    /** Sets the clock to so many seconds after the start. */
    at: (seconds: number) => {
      clock.now = (START + seconds) * 1000;
    },
    token: async () => (await reader.get()).token,
    looks: () => vault.requests.length,
  };
}

/** An API that accepts the tokens in `accepted`, and the requests that it received. */
export async function startApi(
  accepted: Set<string>,
  more?: (request: IncomingMessage, response: ServerResponse) => boolean,
) {
  const requests: { method: string; path: string; authorization: string | undefined; body: string }[] = [];
  const server = createServer(async (request, response) => {
    const { method = '', url: path = '', headers } = request;
    const body = Buffer.concat(await request.toArray()).toString();
    requests.push({ method, path, authorization: headers.authorization, body });
    if (more?.(request, response)) return;
    const known = accepted.has(headers.authorization?.replace('Bearer ', '') ?? '');
    response.writeHead(known ? 200 : 401).end(known ? `hello ${body}` : 'who are you?');
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, requests };
}
