import type { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import type { Reach } from '../../../lib/oauth/egress.ts';
import { postTokenRequest } from '../../../lib/oauth/postTokenRequest.ts';
import { createTokenEndpoint } from '../../../lib/oauth/tokenEndpoint.ts';
import { connectionNamed } from '../../unit/rotation/world/connection.ts';
import { answerWith, startRawServer } from './rawServer.ts';

const BODY = '{"access_token":"a","token_type":"Bearer","expires_in":3600,"refresh_token":"r2"}';
const HEX = BODY.length.toString(16);
const OK = 'HTTP/1.1 200 OK\r\n';
const LENGTH = `Content-Length: ${BODY.length}\r\n`;
const CHUNKED = 'Transfer-Encoding: chunked\r\n';
const CHUNKS = `${HEX}\r\n${BODY}\r\n0\r\n\r\n`;
const WHOLE = `${OK}${LENGTH}\r\n${BODY}`;

/** Asks a server that sends these bytes, and says what came of it. */
async function ask(respond: (socket: Socket) => unknown, waitMs = 15_000) {
  const server = await startRawServer((socket) => void respond(socket));
  const endpoint = createTokenEndpoint({ allowLoopbackHttp: true, now: () => 0 });
  const connection = connectionNamed('crm', { tokenUri: server.url.href });
  const request = { connection, clientId: 'id', clientSecret: 'secret', refreshToken: 'r1' };
  return { response: await endpoint.send(request, { mayStillSend: () => true, waitMs }), server };
}

const coded = (coding: string, body: Buffer) => answerWith(200, body, { 'Content-Encoding': coding });

/** Responses that break the rules of HTTP, and how they are wrong. curl reads nearly all of them. */
const MALFORMED: Readonly<Record<string, string | Buffer>> = {
  '100 Continue that the client did not ask for': `HTTP/1.1 100 Continue\r\n\r\n${WHOLE}`,
  '100 Continue twice, then 103': `${'HTTP/1.1 100 Continue\r\n\r\n'.repeat(2)}HTTP/1.1 103 Early\r\nLink: </x>\r\n\r\n${WHOLE}`,
  '102 Processing with bare line feeds': `HTTP/1.1 102 Processing\n\n${WHOLE}`,
  'a folded header line': `${OK}X-Long: a\r\n  b\r\n${LENGTH}\r\n${BODY}`,
  'bare line feeds': `HTTP/1.1 200 OK\nContent-Type: application/json\n\n${BODY}`,
  'two equal lengths': `${OK}${LENGTH}${LENGTH}\r\n${BODY}`,
  'a list of equal lengths': `${OK}Content-Length: ${BODY.length}, ${BODY.length}\r\n\r\n${BODY}`,
  'two lengths that differ': `${OK}${LENGTH}Content-Length: 7\r\n\r\n${BODY}`,
  'a length beside chunks': `${OK}${LENGTH}${CHUNKED}\r\n${CHUNKS}`,
  'a space before a colon': `${OK}Content-Type : application/json\r\n${LENGTH}\r\n${BODY}`,
  'a tab before the colon of the length': `${OK}Content-Length\t: ${BODY.length}\r\n\r\n${BODY}`,
  'a space after the size of a chunk': `${OK}${CHUNKED}\r\n${HEX} \r\n${BODY}\r\n0\r\n\r\n`,
  'a control character in a header': `${OK}X-Odd: a\u0001b\r\n${LENGTH}\r\n${BODY}`,
  'headers of 70 KB': `${OK}${Array.from({ length: 70 }, (_, at) => `X-${at}: ${'v'.repeat(1_000)}\r\n`).join('')}${LENGTH}\r\n${BODY}`,
  'a header line of 70 KB': `${OK}X-Long: ${'v'.repeat(70_000)}\r\n${LENGTH}\r\n${BODY}`,
  'HTTP/1.0 with an identity coding': `HTTP/1.0 200 OK\r\nTransfer-Encoding: identity\r\n${LENGTH}\r\n${BODY}`,
};

/** Bodies in a form that the request did not ask for. */
const ODD_BODIES: Readonly<Record<string, string | Buffer>> = {
  'deflate without zlib header': coded('deflate', deflateRawSync(BODY)),
  'gzip without its end': coded('gzip', gzipSync(BODY).subarray(0, -8)),
  'gzip without its last chunk': Buffer.concat([
    Buffer.from(`${OK}Content-Encoding: gzip\r\n${CHUNKED}\r\n${gzipSync(BODY).length.toString(16)}\r\n`),
    gzipSync(BODY),
  ]),
  'two codings': coded('deflate, gzip', gzipSync(deflateSync(BODY))),
  'identity and a coding': coded('identity, br', brotliCompressSync(BODY)),
  'a coding that was not applied': coded('gzip', Buffer.from(BODY)),
  'a form with a plain space': answerWith(
    200,
    'access_token=a&token_type=Bearer&expires_in=3600&scope=x y&refresh_token=r2',
  ),
  'a prefix against scripts': answerWith(200, `)]}'\n${BODY}`),
};

const GRANTED = { refreshToken: 'r2', accessToken: { value: 'a', lifetimeMs: 3_600_000 } };

describe('a response is read with', () => {
  test.each(Object.entries({ ...MALFORMED, ...ODD_BODIES }))('%s', async (_, bytes) => {
    const { response, server } = await ask((socket) => socket.end(bytes));
    expect(response).toMatchObject(GRANTED);
    expect(server.connections).toHaveLength(1);
  });

  test.each(Object.entries(MALFORMED))('%s, and the reason is named', async (_, bytes) => {
    const { response } = await ask((socket) => socket.end(bytes));
    expect(response.malformed).toMatch(/^(HTTPParserError \(\w.*\)|UND_ERR_[A-Z_]+)$/);
  });

  test.each(Object.entries(MALFORMED))('%s that arrives byte by byte', async (name, bytes) => {
    if (bytes.length > 10_000) return expect(name).toContain('70 KB');
    const { response, server } = await ask(async (socket) => {
      socket.setNoDelay(true);
      for (const byte of Buffer.from(bytes)) await new Promise((done) => socket.write(Buffer.of(byte), done));
      socket.end();
    });
    expect(response).toMatchObject(GRANTED);
    expect(server.connections).toHaveLength(1);
  });

  test('an interim response long before it', async () => {
    const { response } = await ask((socket) => {
      socket.write('HTTP/1.1 100 Continue\r\n\r\n');
      setTimeout(() => socket.end(WHOLE), 300);
    });
    expect(response).toMatchObject({ ...GRANTED, malformed: expect.any(String) });
  });

  test('a connection that stays open after it', async () => {
    const startedAt = performance.now();
    const { response, server } = await ask((socket) => socket.write(`HTTP/1.1 100 Continue\r\n\r\n${WHOLE}`));
    expect(response).toMatchObject(GRANTED);
    expect(performance.now() - startedAt).toBeLessThan(10_000);
    await server.connections[0]?.closed;
  });

  test('a reset right after it', async () => {
    const { response } = await ask((socket) =>
      socket.write(`HTTP/1.1 100 Continue\r\n\r\n${WHOLE}`, () => socket.resetAndDestroy()),
    );
    expect(response).toMatchObject(GRANTED);
  });
});

describe('of a response that ends early', () => {
  const cut: Readonly<Record<string, string>> = {
    'before the last brace': BODY.slice(0, -1),
    'within the next name': '{"refresh_token":"r2","access_to',
    'within a number': '{"refresh_token":"r2","expires_in":36',
    'within another string': '{"refresh_token":"r2","access_token":"a',
    'after a name': '{"refresh_token":"r2","access_token"',
    'within an object': '{"refresh_token":"r2","user":{"id":1,"na',
    'after an escaped quote': '{"refresh_token":"r2","scope":"a\\"',
    'below another object': '{"code":0,"data":{"access_token":"a","refresh_token":"r2","expi',
    'in an object that ends early': '{"a":{"refresh_token":"r2","b":',
    'in a list that ends early': '{"data":[{"refresh_token":"r2"},{"id":[1,{"x',
  };
  test.each(Object.entries(cut))('%s, the complete refresh token is kept', async (_, body) => {
    const { response } = await ask((socket) =>
      socket.end(answerWith(200, `${body}${' '.repeat(20)}`).subarray(0, -20)),
    );
    expect(response).toMatchObject({ refreshToken: 'r2', malformed: 'UND_ERR_SOCKET' });
    expect(response.accessToken).toBeUndefined();
    expect(response.failure).toMatchObject({ class: 'outcome_unknown', code: 'response_unusable' });
  });

  test('an incomplete refresh token is not', async () => {
    for (const body of ['{"access_token":"a","refresh_token":"r2', '{"a":{"b":1,"refresh_token":"r2']) {
      const { response } = await ask((socket) => socket.end(answerWith(200, `${body}    `).subarray(0, -4)));
      expect(response.refreshToken).toBeUndefined();
    }
  });
});

describe('leniency has limits', () => {
  const send = (url: URL) =>
    postTokenRequest(url, { headers: {}, body: 'x=y' }, new Set(['loopback']) satisfies Reach, {
      mayStillSend: () => true,
      waitMs: 15_000,
    });

  test('a redirect that is malformed is not followed', async () => {
    const elsewhere = await startRawServer((socket) => socket.end(WHOLE));
    const head = `HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 307 Moved\r\nLocation: ${elsewhere.url.href}\r\n`;
    const { response } = await ask((socket) => socket.end(`${head}${LENGTH}\r\n${BODY}`));
    // A refresh token in it counts, as in a redirect that is well-formed; the address does not.
    expect(response).toMatchObject({ refreshToken: 'r2', failure: { class: 'outcome_unknown' } });
    expect(elsewhere.connections).toHaveLength(0);
  });

  test('an endless body ends at the limit, and the connection is closed', async () => {
    const server = await startRawServer((socket) => {
      socket.write(`HTTP/1.1 100 Continue\r\n\r\n${OK}\r\n`);
      const pour = () => {
        while (!socket.destroyed && socket.write('x'.repeat(65_536)));
      };
      socket.on('drain', pour);
      pour();
    });
    const result = await send(server.url);
    expect(result).toMatchObject({ kind: 'no_response' });
    expect(result.kind === 'no_response' && result.received?.body.length).toBeLessThanOrEqual(256 * 1024);
    await server.connections[0]?.closed;
  });

  test('the deadline for the whole response stays', async () => {
    const { response, server } = await ask(
      (socket) => socket.write('HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{'),
      400,
    );
    expect(response).toMatchObject({ failure: { class: 'outcome_unknown' } });
    await server.connections[0]?.closed;
  });

  test.each(['220 smtp.example.com ESMTP\r\n', 'HTTP/1.1 2', '\u0000\u0001\u0002', '<html></html>'])(
    'bytes that are not HTTP are not taken for a response: %j',
    async (bytes) => {
      const { response } = await ask((socket) => socket.end(bytes));
      expect(response).toMatchObject({ failure: { class: 'outcome_unknown', code: 'provider_unavailable' } });
      expect(response.malformed).toBeUndefined();
    },
  );
});
