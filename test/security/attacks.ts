import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { constants, createBrotliCompress, createGzip } from 'node:zlib';
import { answerWith } from '../integration/oauth/rawServer.ts';
import { canary } from './canaries.ts';
import type { Attack } from './hostileServer.ts';

/** A valid token response with fresh tokens, with the given changes. */
export function tokens(name: string, changes: Record<string, unknown> = {}): Record<string, unknown> {
  const good = { access_token: canary(name, 'access'), refresh_token: canary(name, 'refresh') };
  return { ...good, token_type: 'Bearer', expires_in: 3600, ...changes };
}

/** Sends a whole response with its length, then closes the connection. */
export function body(content: string | Buffer, status = 200, headers: Record<string, string> = {}): Attack {
  return (socket) =>
    socket.end(answerWith(status, content, { 'content-type': 'application/json', ...headers }));
}

export function json(content: unknown, status = 200, headers: Record<string, string> = {}): Attack {
  return body(JSON.stringify(content), status, headers);
}

/** Sends the bytes unchanged. */
export function raw(...parts: readonly (string | Buffer)[]): Attack {
  return (socket) => socket.end(Buffer.concat(parts.map((part) => Buffer.from(part as string))));
}

const MEBIBYTE = 1024 * 1024;

/** A few hundred bytes that unpack to 128 MiB. Packed piece by piece, because the test measures the memory of this process. */
export async function bomb(coding: 'gzip' | 'br'): Promise<Attack> {
  const piece = Buffer.alloc(MEBIBYTE, ' ');
  const packer = coding === 'gzip' ? createGzip() : createBrotliCompress(FAST);
  const packed = await buffer(Readable.from(Array(128).fill(piece)).pipe(packer));
  return body(packed, 200, { 'content-encoding': coding });
}

const FAST = { params: { [constants.BROTLI_PARAM_QUALITY]: 1 } };

const CHUNKED = 'HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n';

/** Sends an endless response, as fast as the client reads it. */
export const endless: Attack = (socket) => {
  const chunk = `10000\r\n${' '.repeat(0x10000)}\r\n`;
  const more = () => {
    while (socket.writable && socket.write(chunk));
  };
  socket.write(CHUNKED);
  socket.on('drain', more);
  more();
};

/** Sends single bytes with pauses, without end. */
export const drip: Attack = (socket) => {
  socket.write(CHUNKED);
  const timer = setInterval(() => socket.write('1\r\n \r\n'), 200);
  socket.on('close', () => clearInterval(timer));
};

/** Sends only interim responses, without end (RFC 9110 section 15.2). */
export const interim: Attack = (socket) => {
  const some = 'HTTP/1.1 103 Early Hints\r\nlink: </x>; rel=preload\r\n\r\n'.repeat(100);
  const timer = setInterval(() => socket.write(some), 20);
  socket.on('close', () => clearInterval(timer));
};

/** Sends only the first bytes of a whole response. */
export function cutAfter(bytes: number, content: unknown): Attack {
  return (socket) => socket.end(answerWith(200, JSON.stringify(content)).subarray(0, bytes));
}

/** Sends a response whose declared length is wrong. */
export function wrongLength(difference: number, content: unknown): Attack {
  const text = JSON.stringify(content);
  const length = Buffer.byteLength(text) + difference;
  return raw(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${length}\r\n\r\n${text}`);
}
