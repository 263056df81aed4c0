import { brotliDecompressSync, gunzipSync, inflateSync, zstdDecompressSync } from 'node:zlib';

type Decoder = (body: Uint8Array, options: { maxOutputLength: number }) => Uint8Array;

const DECODERS: Readonly<Record<string, Decoder>> = {
  gzip: gunzipSync,
  'x-gzip': gunzipSync,
  deflate: inflateSync,
  br: brotliDecompressSync,
  zstd: zstdDecompressSync,
};

/**
 * Undoes a content coding that was not asked for (RFC 9110 section 8.4): there may be a refresh token in it.
 * @param limit no more than this many bytes are unpacked
 * @returns the body as it came where it cannot be unpacked; never throws
 */
export function decodeContent(body: Uint8Array, coding: string | undefined, limit: number): Uint8Array {
  const name = coding?.trim().toLowerCase() ?? '';
  const decode = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
  if (!decode) return body;
  try {
    return decode(body, { maxOutputLength: limit });
  } catch {
    return body;
  }
}
