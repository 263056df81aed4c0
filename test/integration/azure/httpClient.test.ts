import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import { createSecureServer as createHttp2Server } from 'node:http2';
import { createServer as createTlsServer } from 'node:https';
import {
  type AddressInfo,
  connect,
  createServer as createTcpServer,
  type Server as TcpServer,
} from 'node:net';
import tls from 'node:tls';
import { createPipelineRequest } from '@azure/core-rest-pipeline';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { createHttpClient } from '../../../lib/azure/httpClient.ts';
import { createSecretVault } from '../../../lib/azure/keyVaultSecrets.ts';
import { createCertificateAuthority } from '../../../local/keyVault/certificateAuthority.ts';
import { startForwardProxy } from '../../support/forwardProxy.ts';
import { errorOf, tokenOf } from './support.ts';

/** One that this process trusts. */
async function certificateOf(...hosts: string[]) {
  const { caCertificate, issue } = await createCertificateAuthority();
  tls.setDefaultCACertificates([...tls.getCACertificates('default'), caCertificate]);
  return issue(hosts);
}

/** A vault without secrets, whose certificate this process trusts. */
async function startEmptyVault() {
  const requests: IncomingHttpHeaders[] = [];
  const certificate = await certificateOf('test.vault.azure.net', '127.0.0.1');
  const server = createTlsServer(certificate, ({ headers }, response) => {
    requests.push(headers);
    response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
  });
  return { port: await listen(server), requests };
}

const secretAt = (url: string) => createSecretVault(url, tokenOf('officer')).get('token');

/** Until the test ends. @returns the port */
async function listen(server: TcpServer): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

async function listenPlainly(server: Server): Promise<string> {
  const port = await listen(server);
  onTestFinished(() => server.closeAllConnections());
  return `http://127.0.0.1:${port}/`;
}

describe('a request to Azure', () => {
  it('goes through the proxy of the environment', async () => {
    const { port, requests } = await startEmptyVault();
    const proxy = await startForwardProxy(port);
    vi.stubEnv('HTTPS_PROXY', proxy.url);
    onTestFinished(() => void vi.unstubAllEnvs());
    expect(await secretAt('https://test.vault.azure.net')).toBeUndefined();
    expect(proxy.asked).toEqual(['test.vault.azure.net:443']);
    expect(requests).toHaveLength(1);
  });

  it('goes to a server that offers HTTP/2 over HTTP/1.1', async () => {
    const versions: string[] = [];
    const options = { ...(await certificateOf('127.0.0.1')), allowHTTP1: true };
    const server = createHttp2Server(options, ({ httpVersion }, response) => {
      versions.push(httpVersion);
      response.writeHead(404, { 'content-type': 'application/json' }).end('{}');
    });
    expect(await secretAt(`https://127.0.0.1:${await listen(server)}`)).toBeUndefined();
    expect(versions).toEqual(['1.1']);
  });

  it('does not wait for the connection of another that hangs', async () => {
    const { port } = await startEmptyVault();
    let connections = 0;
    const relay = createTcpServer((client) => {
      connections += 1;
      client.on('error', () => undefined);
      if (connections === 1) return;
      const server = connect(port, '127.0.0.1');
      client.pipe(server).pipe(client);
    });
    const client = createHttpClient();
    const url = `https://127.0.0.1:${await listen(relay)}`;
    const hanging = new AbortController();
    const first = client.sendRequest(createPipelineRequest({ url, abortSignal: hanging.signal }));
    const second = client.sendRequest(createPipelineRequest({ url }));
    expect(await Promise.race([first, second.then(({ status }) => status)])).toBe(404);
    hanging.abort();
    await expect(first).rejects.toThrow();
  });

  it('says who sends it', async () => {
    const { port, requests } = await startEmptyVault();
    expect(await secretAt(`https://127.0.0.1:${port}`)).toBeUndefined();
    expect(requests.map((headers) => headers['user-agent'])).toEqual(['key-vault-token-rotator']);
  });

  it('has a response whose headers ignore case, inherit nothing and have one value each', async () => {
    const server = createServer((_, response) => {
      response.writeHead(200, { 'X-Kind': '  plain ', 'Set-Cookie': ['first=1', 'second=2'] }).end();
    });
    const request = { url: await listenPlainly(server), allowInsecureConnection: true };
    const { headers } = await createHttpClient().sendRequest(createPipelineRequest(request));
    expect([headers.get('X-KIND'), headers.get('set-cookie')]).toEqual(['plain', 'first=1']);
    expect([headers.has('x-kind'), headers.has('constructor')]).toEqual([true, false]);
    headers.set('X-Kind', 'set');
    headers.delete('Set-Cookie');
    expect(headers.toJSON()).toMatchObject({ 'x-kind': 'set' });
    expect(Object.fromEntries(headers)).toEqual(headers.toJSON());
    expect(headers.has('set-cookie')).toBe(false);
  });

  it('ends when its signal fires', async () => {
    const arrived = Promise.withResolvers<ServerResponse>();
    const server = createServer((_, response) => arrived.resolve(response));
    const url = await listenPlainly(server);
    const abort = new AbortController();
    const request = { url, allowInsecureConnection: true, abortSignal: abort.signal };
    const sent = createHttpClient().sendRequest(createPipelineRequest(request));
    const response = await arrived.promise;
    const closed = once(response, 'close');
    const reason = new Error('given up');
    abort.abort(reason);
    await expect(sent).rejects.toBe(reason);
    await closed;
  });

  it('shares at most 64 connections with others to the same host', async () => {
    const waiting: ServerResponse[] = [];
    const enough = Promise.withResolvers<void>();
    const server = createServer((_, response) => {
      if (waiting.push(response) === 64) enough.resolve();
    });
    let connections = 0;
    server.on('connection', () => {
      connections += 1;
    });
    const url = await listenPlainly(server);
    const client = createHttpClient();
    const get = () => client.sendRequest(createPipelineRequest({ url, allowInsecureConnection: true }));
    const sent = Promise.all(Array.from({ length: 80 }, get));
    await enough.promise;
    server.on('request', (_, response) => void response.end('late'));
    for (const response of waiting) response.end('early');
    expect((await sent).map(({ bodyAsText }) => bodyAsText).toSorted()).toEqual([
      ...Array(64).fill('early'),
      ...Array(16).fill('late'),
    ]);
    expect(connections).toBe(64);
  });

  it('is sent soon after others to the same host were given up whose connections hang', async () => {
    const server = createServer((_, response) => void response.end('here'));
    const { port } = new URL(await listenPlainly(server));
    let lookups = 0;
    const client = createHttpClient((_, _options, found) => {
      lookups += 1;
      if (lookups > 64) found(null, [{ address: '127.0.0.1', family: 4 }]);
    });
    const url = `http://example.test:${port}/`;
    const get = (abortSignal?: AbortSignal) =>
      client.sendRequest(
        createPipelineRequest({ url, allowInsecureConnection: true, ...(abortSignal && { abortSignal }) }),
      );
    const abort = new AbortController();
    const hanging = Promise.allSettled(Array.from({ length: 100 }, () => get(abort.signal)));
    abort.abort(new Error('given up'));
    await hanging;
    expect((await get()).bodyAsText).toBe('here');
    expect(lookups).toBeGreaterThan(64);
  }, 20_000);

  it('is not sent over http unless that is allowed', async () => {
    const request = createPipelineRequest({ url: 'http://127.0.0.1:1/' });
    await expect(createHttpClient().sendRequest(request)).rejects.toThrow('is not https');
  });

  it('names the failure of a connection as Node does', async () => {
    expect((await errorOf(secretAt('https://127.0.0.1:1'))).message).toContain('ECONNREFUSED');
  });
});
