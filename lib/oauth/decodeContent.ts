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
 * Decodes a content coding that the request did not accept (RFC 9110 section 8.4): the body may have a refresh token.
 * @param limit the maximum number of decoded bytes
 * @returns the body unchanged if it cannot be decoded; never throws
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
