import tls, { type TLSSocket } from 'node:tls';
import { SecretClient } from '@azure/keyvault-secrets';
import { Agent, buildConnector, Client, Pool } from 'undici';
import { HOST_BOUNDS } from '../../lib/rotation/providerHost.ts';
import type { Addresses } from './servers.ts';

/** What a rotation with a reusable refresh token sends in the steady state, counted: the hand-written loop sends the same. */
export const OPERATIONS = {
  'lease: acquire': 1,
  read: 1,
  getSecret: 2,
  updateSecret: 2,
  token: 1,
  setSecret: 1,
  write: 2,
  'lease: release': 1,
} as const;

/** Of the records. */
export const CONTAINER = 'token-rotator-records';
const FORM = { 'content-type': 'application/x-www-form-urlencoded' };
const JSON_BODY = { 'content-type': 'application/json', authorization: 'Bearer bench' };

/** A connection of the benchmark. */
export interface Target {
  readonly name: string;
  readonly tokenEndpoint: string;
}

/**
 * The loop that an expert would write by hand, without any of the protocol: it never decides anything, repeats nothing and remembers
 * nothing. It costs what the requests cost, over the connections that the rotator has as well: those to Azure are kept from one round
 * to the next, and a token request has its own, which resumes a TLS session.
 * @param options.keepsAll keep the connections to the token endpoints too
 * @param options.concurrency rotations at a time. Default: as many as may have a token request in flight at one host
 */
export function handWritten(
  { vaults: [vault], storage, caCertificate }: Addresses,
  targets: readonly Target[],
  { keepsAll = false, concurrency = HOST_BOUNDS.most }: { keepsAll?: boolean; concurrency?: number } = {},
) {
  const secureContext = tls.createSecureContext({ ca: caCertificate });
  const hosts = new Map<string, { connect: buildConnector.connector; pool: Pool }>();
  /** A connector alone forgets its sessions when V8 collects. */
  const sessions = new Map<string, Buffer>();
  const hostOf = (origin: string) => {
    const known = hosts.get(origin);
    if (known) return known;
    // One for each host: a connector finds a TLS session by the name of the host, and here they differ in their ports only.
    const connector = buildConnector({ secureContext });
    const connect: buildConnector.connector = (options, done) => {
      const socket = connector(options, done) as unknown as TLSSocket;
      socket.on('session', (session) => sessions.set(origin, session));
    };
    const host = { connect, pool: new Pool(origin, { connect, connections: concurrency }) };
    hosts.set(origin, host);
    return host;
  };
  const send = async (
    method: 'GET' | 'PUT' | 'PATCH' | 'POST',
    address: string,
    headers = {},
    body?: string,
  ) => {
    const { origin, pathname, search } = new URL(address);
    const isOnce = method === 'POST' && !keepsAll;
    const { connect, pool } = hostOf(origin);
    const client = isOnce ? new Client(origin, { connect }) : pool;
    const response = await client.request({
      method,
      path: `${pathname}${search}`,
      headers,
      body: body ?? null,
    });
    const text = await response.body.text();
    if (isOnce) void client.close();
    if (response.statusCode >= 300) throw new Error(`${method} ${pathname}: ${response.statusCode}`);
    return { text, headers: response.headers };
  };
  const rotate = async ({ name, tokenEndpoint }: Target) => {
    const blob = `${storage}/${CONTAINER}/${name}.json`;
    const secret = (kind: string, version = '') =>
      `${vault}/secrets/${name}-${kind}/${version}?api-version=7.6`;
    const taken = { 'x-ms-lease-action': 'acquire', 'x-ms-lease-duration': '15' };
    const lease = (await send('PUT', `${blob}?comp=lease`, taken)).headers['x-ms-lease-id'];
    const { text: record, headers } = await send('GET', blob);
    const metadata = Object.entries(headers).filter(([name]) => name.startsWith('x-ms-meta-'));
    const refreshToken = JSON.parse((await send('GET', secret('refresh-token'), JSON_BODY)).text);
    const published = JSON.parse((await send('GET', secret('access-token'), JSON_BODY)).text);
    const conditions = { 'x-ms-lease-id': lease, 'x-ms-blob-type': 'BlockBlob', 'if-match': '*' };
    const written = { ...conditions, ...Object.fromEntries(metadata) };
    await send('PUT', blob, written, record);
    const tag = JSON.stringify({ tags: refreshToken.tags });
    const version = refreshToken.id.split('/').at(-1);
    await send('PATCH', secret('refresh-token', version), JSON_BODY, tag);
    const form = new URLSearchParams({
      grant_type: 'refresh_token',
      client_id: 'id',
      client_secret: 'secret',
      refresh_token: refreshToken.value,
    });
    const response = JSON.parse((await send('POST', tokenEndpoint, FORM, form.toString())).text);
    await send('PATCH', secret('refresh-token', version), JSON_BODY, tag);
    const { tags, contentType, attributes } = published;
    const body = JSON.stringify({ value: response.access_token, tags, contentType, attributes });
    await send('PUT', secret('access-token').replace('/?', '?'), JSON_BODY, body);
    await send('PUT', blob, written, record);
    await send('PUT', `${blob}?comp=lease`, { 'x-ms-lease-action': 'release', 'x-ms-lease-id': lease });
  };
  return {
    /** Rotates each connection once. */
    round: async () => {
      const left = targets.values();
      const worker = async () => {
        for (const target of left) await rotate(target);
      };
      await Promise.all(Array.from({ length: concurrency }, worker));
    },
    close: async () => {
      await Promise.all([...hosts.values()].map(({ pool }) => pool.close()));
    },
  };
}

/** The loop of the usual samples: the SDK's client, one connection after the other, and no record. */
export async function sampleLoop(
  { vaults: [vault], caCertificate }: Addresses,
  targets: readonly Target[],
): Promise<void> {
  const client = new SecretClient(
    vault,
    { getToken: async () => ({ token: 'bench', expiresOnTimestamp: Date.now() + 3_600_000 }) },
    { disableChallengeResourceVerification: true },
  );
  const dispatcher = new Agent({ connect: { ca: caCertificate } });
  for (const { name, tokenEndpoint } of targets) {
    const clientSecret = await client.getSecret(`${name}-client-secret`);
    const refreshToken = await client.getSecret(`${name}-refresh-token`);
    const { body } = await dispatcher.request({
      origin: new URL(tokenEndpoint).origin,
      path: new URL(tokenEndpoint).pathname,
      method: 'POST',
      headers: FORM,
      body: new URLSearchParams({
        grant_type: 'refresh_token',
        client_id: 'id',
        client_secret: clientSecret.value ?? '',
        refresh_token: refreshToken.value ?? '',
      }).toString(),
    });
    const tokens = (await body.json()) as { access_token: string };
    await client.setSecret(`${name}-sample`, tokens.access_token);
  }
  await dispatcher.close();
}
