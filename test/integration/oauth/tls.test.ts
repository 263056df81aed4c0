import type { TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import type { Reach } from '../../../lib/oauth/egress.ts';
import { postTokenRequest } from '../../../lib/oauth/postTokenRequest.ts';
import { TlsSessions } from '../../../lib/oauth/tlsSessions.ts';
import {
  type CertificateAuthority,
  createCertificateAuthority,
} from '../../../local/keyVault/certificateAuthority.ts';
import { answerWith, startRawServer } from './rawServer.ts';

const request = { headers: {}, body: 'refresh_token=r1' };
const HERE: Reach = new Set(['loopback']);
const terms = { mayStillSend: () => true, waitMs: 20_000 };
let authority: CertificateAuthority;
let certificate: { key: string; cert: string };

beforeAll(async () => {
  authority = await createCertificateAuthority();
  certificate = await authority.issue(['127.0.0.1']);
});

const start = (tls = {}) =>
  startRawServer((socket) => socket.end(answerWith(200, '{}')), { ...certificate, ...tls });

/** Every case must fail before a byte of the request is sent. */
function expectUntouched(connections: Awaited<ReturnType<typeof start>>['connections']) {
  for (const { text } of connections) expect(text()).toBe('');
}

describe('over TLS', () => {
  test('a server with a trusted certificate gets the request', async () => {
    const server = await start();
    const ca = authority.caCertificate;
    expect(
      await postTokenRequest(server.url, request, HERE, terms, { sessions: new TlsSessions(ca) }),
    ).toMatchObject({
      kind: 'response',
      status: 200,
    });
  });

  test('the request arrives in one piece', async () => {
    const server = await start();
    let pieces = 0;
    const counted = server.connection().then(({ socket }) => socket.on('data', () => pieces++));
    const sessions = new TlsSessions(authority.caCertificate);
    await postTokenRequest(server.url, request, HERE, terms, { sessions });
    await counted;
    expect(pieces).toBe(1);
  });

  test('a server that offers HTTP/2 gets the request over HTTP/1.1', async () => {
    const server = await start({ ALPNProtocols: ['h2', 'http/1.1'] });
    const ca = authority.caCertificate;
    expect(
      await postTokenRequest(server.url, request, HERE, terms, { sessions: new TlsSessions(ca) }),
    ).toMatchObject({
      kind: 'response',
    });
    expect(server.connections[0]?.text()).toContain(' HTTP/1.1\r\n');
  });

  test('a server with an untrusted certificate gets no request', async () => {
    const server = await start();
    expect(await postTokenRequest(server.url, request, HERE, terms)).toMatchObject({
      kind: 'not_sent',
      refused: false,
      why: 'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    });
    expectUntouched(server.connections);
  });

  test('a server with an untrusted certificate gets no request even if the environment switches off verification', async () => {
    const variable = 'NODE_TLS_REJECT_UNAUTHORIZED';
    process.env[variable] = '0';
    onTestFinished(() => {
      delete process.env[variable];
    });
    const server = await start();
    expect(await postTokenRequest(server.url, request, HERE, terms)).toMatchObject({
      kind: 'not_sent',
    });
    expectUntouched(server.connections);
  });

  test('a server with a certificate for another name gets no request', async () => {
    const server = await start(await authority.issue(['login.example.com']));
    const ca = authority.caCertificate;
    expect(
      await postTokenRequest(server.url, request, HERE, terms, { sessions: new TlsSessions(ca) }),
    ).toMatchObject({
      kind: 'not_sent',
      why: 'ERR_TLS_CERT_ALTNAME_INVALID',
    });
    expectUntouched(server.connections);
  });

  test('a server without TLS 1.2 gets no request', async () => {
    const old = { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT@SECLEVEL=0' } as const;
    const server = await start(old);
    const ca = authority.caCertificate;
    expect(
      await postTokenRequest(server.url, request, HERE, terms, { sessions: new TlsSessions(ca) }),
    ).toMatchObject({
      kind: 'not_sent',
    });
    expectUntouched(server.connections);
  });

  test('a server without TLS gets no request', async () => {
    const server = await startRawServer(() => undefined);
    server.connection().then(({ socket }) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    const url = new URL(server.url);
    url.protocol = 'https:';
    expect(await postTokenRequest(url, request, HERE, terms)).toMatchObject({
      kind: 'not_sent',
    });
    expect(server.connections[0]?.text()).not.toContain('refresh_token');
  });

  /** A server that notes for each request whether its connection resumed a session. */
  async function startNoting(tls = {}) {
    const resumed: boolean[] = [];
    const server = await startRawServer(
      (socket) => {
        resumed.push((socket as TLSSocket).isSessionReused());
        socket.end(answerWith(200, '{}'));
      },
      { ...certificate, ...tls },
    );
    const send = (sessions: TlsSessions) => postTokenRequest(server.url, request, HERE, terms, { sessions });
    return { send, resumed };
  }

  test.each(['TLSv1.2', 'TLSv1.3'] as const)(
    'a later connection resumes the session with its host: %s',
    async (version) => {
      const { send, resumed } = await startNoting({ minVersion: version, maxVersion: version });
      const sessions = new TlsSessions(authority.caCertificate);
      for (let sent = 0; sent < 3; sent++) await send(sessions);
      expect(resumed).toEqual([false, true, true]);
    },
  );

  test('a session is not used for another host', async () => {
    const [one, other] = [await startNoting(), await startNoting()];
    const sessions = new TlsSessions(authority.caCertificate);
    await one.send(sessions);
    await other.send(sessions);
    expect([...one.resumed, ...other.resumed]).toEqual([false, false]);
  });
});
