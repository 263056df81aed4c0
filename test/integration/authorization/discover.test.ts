import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import {
  type Server as Discovered,
  discoverServer,
  type ServerHints,
} from '../../../lib/authorization/discover.ts';
import { errorOf } from '../../support/thrown.ts';

const servers: Server[] = [];

afterEach(() => {
  for (const server of servers.splice(0)) server.close().closeAllConnections();
});

async function serve(listener: (origin: string) => RequestListener): Promise<string> {
  const server = createServer();
  servers.push(server);
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.on('request', listener(origin));
  return origin;
}

/** Metadata at one path, 404 elsewhere. */
function metadataAt(path: string, metadata: (origin: string) => object) {
  return serve((origin) => (request, response) => {
    const found = request.url === path;
    response.writeHead(found ? 200 : 404, { 'content-type': 'application/json' });
    response.end(found ? JSON.stringify(metadata(origin)) : '{}');
  });
}

function discover(hints: ServerHints, allowLoopbackHttp = true): Promise<Found> {
  return discoverServer(hints, { allowLoopbackHttp, signal: new AbortController().signal });
}

type Found = Pick<Discovered, 'issuer' | 'token_endpoint' | 'device_authorization_endpoint'>;

const OIDC = '/.well-known/openid-configuration';

describe('discovery', () => {
  test('reads OpenID metadata', async () => {
    const origin = await metadataAt(OIDC, (issuer) => ({ issuer, token_endpoint: `${issuer}/token` }));
    expect(await discover({ issuer: origin })).toMatchObject({ token_endpoint: `${origin}/token` });
  });

  test('reads RFC 8414 metadata, whose path comes before that of the issuer', async () => {
    const origin = await metadataAt('/.well-known/oauth-authorization-server/tenant', (base) => ({
      issuer: `${base}/tenant`,
      token_endpoint: `${base}/tenant/token`,
    }));
    expect(await discover({ issuer: `${origin}/tenant` })).toMatchObject({
      token_endpoint: `${origin}/tenant/token`,
    });
  });

  test('finds the issuer along the path of the token endpoint', async () => {
    const origin = await metadataAt(`/oauth2/default${OIDC}`, (base) => ({
      issuer: `${base}/oauth2/default`,
      token_endpoint: `${base}/oauth2/default/v1/token`,
    }));
    const found = await discover({ tokenEndpoint: `${origin}/oauth2/default/v1/token` });
    expect(found.issuer).toBe(`${origin}/oauth2/default`);
  });

  test('needs no metadata if the endpoints are given', async () => {
    const tokenEndpoint = 'https://login.example/token';
    const found = await discover({ tokenEndpoint, deviceEndpoint: 'https://login.example/device' });
    expect(found).toMatchObject({
      token_endpoint: tokenEndpoint,
      device_authorization_endpoint: 'https://login.example/device',
    });
  });

  test('refuses an issuer whose metadata names another token endpoint than the configuration', async () => {
    const origin = await metadataAt(OIDC, (issuer) => ({ issuer, token_endpoint: `${issuer}/token` }));
    const error = await errorOf(discover({ issuer: origin, tokenEndpoint: 'https://login.example/token' }));
    expect(error.message).toContain('names another token endpoint');
  });

  describe('sends the client secret to no host that only metadata name', () => {
    const device = 'https://elsewhere.example/device';

    test('leaves out a device endpoint of another origin than the token endpoint', async () => {
      const origin = await metadataAt(OIDC, (issuer) => ({
        issuer,
        token_endpoint: `${issuer}/token`,
        device_authorization_endpoint: device,
      }));
      for (const hints of [{ issuer: origin }, { tokenEndpoint: `${origin}/token` }])
        expect(await discover(hints)).not.toHaveProperty('device_authorization_endpoint');
      const named = await discover({ issuer: origin, deviceEndpoint: device });
      expect(named.device_authorization_endpoint).toBe(device);
    });

    test('keeps a device endpoint beside the token endpoint', async () => {
      const origin = await metadataAt(OIDC, (issuer) => ({
        issuer,
        token_endpoint: `${issuer}/token`,
        device_authorization_endpoint: `${issuer}/device`,
      }));
      expect((await discover({ issuer: origin })).device_authorization_endpoint).toBe(`${origin}/device`);
    });

    test.each(['https://elsewhere.example/token', 'not an address'])(
      'refuses the token endpoint %s, unless the user names it',
      async (token_endpoint) => {
        const origin = await metadataAt(OIDC, (issuer) => ({ issuer, token_endpoint }));
        const error = await errorOf(discover({ issuer: origin }));
        expect(error).toMatchObject({ code: 'authorization_failed' });
        expect(error.fix).toContain('--token-uri');
        if (!token_endpoint.startsWith('https:')) return;
        const named = await discover({ issuer: origin, tokenEndpoint: token_endpoint });
        expect(named.token_endpoint).toBe(token_endpoint);
      },
    );
  });

  test('ignores metadata of another issuer', async () => {
    const origin = await metadataAt(OIDC, () => ({
      issuer: 'https://other.example',
      token_endpoint: 'https://other.example/token',
    }));
    expect((await errorOf(discover({ issuer: origin }))).message).toContain('Could not find the metadata');
  });

  test('follows no redirect, not even to the same server', async () => {
    const origin = await serve((issuer) => (request, response) => {
      if (request.url !== '/metadata') return void response.writeHead(302, { location: '/metadata' }).end();
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ issuer, token_endpoint: `${issuer}/token` }));
    });
    expect((await errorOf(discover({ issuer: origin }))).message).toContain('Could not find the metadata');
  });

  test('reads at most 256 KB', async () => {
    const endless = await serve((issuer) => (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ issuer, token_endpoint: `${issuer}/token`, more: 'x'.repeat(300_000) }));
    });
    expect((await errorOf(discover({ issuer: endless }))).code).toBe('authorization_failed');
  });

  test('refuses plain http, except to this machine if that is allowed', async () => {
    const origin = await metadataAt(OIDC, (issuer) => ({ issuer, token_endpoint: `${issuer}/token` }));
    expect((await errorOf(discover({ issuer: origin }, false))).message).toContain('must use https');
    expect((await errorOf(discover({ issuer: 'http://login.example' }))).message).toContain('must use https');
  });

  test('reports that nothing is known', async () => {
    expect((await errorOf(discover({}))).fix).toContain('--issuer');
  });
});
