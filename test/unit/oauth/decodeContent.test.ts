import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { decodeContent } from '../../../lib/oauth/decodeContent.ts';

const plain = Buffer.from('{"refresh_token":"r"}');
const LIMIT = 1_000;

describe('an answer in a coding that was not asked for', () => {
  const coded: Record<string, Buffer> = {
    gzip: gzipSync(plain),
    ' GZip ': gzipSync(plain),
    deflate: deflateSync(plain),
    br: brotliCompressSync(plain),
    zstd: zstdCompressSync(plain),
  };
  test.each(Object.entries(coded))('is unpacked from %j', (coding, body) => {
    expect(Buffer.from(decodeContent(body, coding, LIMIT))).toEqual(plain);
  });

  test.each([undefined, 'identity', 'gzip', 'br, gzip', 'constructor'])(
    'stays as it is with %s where it cannot be',
    (coding) => {
      expect(decodeContent(plain, coding, LIMIT)).toBe(plain);
    },
  );

  test('is not unpacked beyond the limit', () => {
    const bomb = gzipSync(Buffer.alloc(10_000_000));
    // Compared by hand: a failing matcher would print ten megabytes.
    expect(decodeContent(bomb, 'gzip', LIMIT) === bomb).toBe(true);
  });
});
