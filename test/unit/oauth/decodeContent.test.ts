import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decodeContent } from '../../../lib/oauth/decodeContent.ts';

const plain = Buffer.from('{"refresh_token":"r"}');
const LIMIT = 1_000;

describe('a response with a coding that the request did not accept', () => {
  const coded: Record<string, Buffer> = {
    gzip: gzipSync(plain),
    ' GZip ': gzipSync(plain),
    deflate: deflateSync(plain),
    br: brotliCompressSync(plain),
    zstd: zstdCompressSync(plain),
  };
  test.each(Object.entries(coded))('is decoded from %j', (coding, body) => {
    expect(Buffer.from(decodeContent(body, coding, LIMIT))).toEqual(plain);
  });

  test.each([undefined, 'identity', 'gzip', 'br, gzip', 'constructor'])(
    'stays unchanged with %s if it cannot be decoded',
    (coding) => {
      expect(decodeContent(plain, coding, LIMIT)).toBe(plain);
    },
  );

  test.each(['gzip', 'deflate', 'br', 'zstd', 'deflate, gzip'])(
    'stays unchanged with %s if it was not coded at all, however it begins',
    (coding) => {
      for (const first of ['', '\n', '\r\n', '\n\n', ' ', '\t', '\ufeff']) {
        const body = Buffer.from(
          `${first}{\n "refresh_token": "r", "access_token": "${'a1B2c3D4'.repeat(40)}"}`,
        );
        expect(decodeContent(body, coding, LIMIT)).toBe(body);
      }
    },
  );

  test('is not decoded beyond the limit', () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    // Without a matcher: a failing one would print ten megabytes.
    expect(decodeContent(bomb, 'gzip', LIMIT) === bomb).toBe(true);
  });
});
