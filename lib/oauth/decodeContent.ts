import {
  brotliDecompressSync,
  constants,
  gunzipSync,
  inflateRawSync,
  inflateSync,
  zstdDecompressSync,
} from 'node:zlib';

type Decoder = (body: Uint8Array, maxOutputLength: number) => Uint8Array;

/** Without their end, the data that arrived are decoded: whether they are whole shows in the JSON. */
const CUT_OFF = { finishFlush: constants.Z_SYNC_FLUSH };
const gzip: Decoder = (body, maxOutputLength) => gunzipSync(body, { ...CUT_OFF, maxOutputLength });

const DECODERS: Readonly<Record<string, Decoder>> = {
  gzip,
  'x-gzip': gzip,
  deflate: (body, maxOutputLength) => {
    try {
      return inflateSync(body, { ...CUT_OFF, maxOutputLength });
    } catch {
      return inflateBare(body, maxOutputLength);
    }
  },
  br: (body, maxOutputLength) =>
    brotliDecompressSync(body, { finishFlush: constants.BROTLI_OPERATION_FLUSH, maxOutputLength }),
  zstd: (body, maxOutputLength) =>
    zstdDecompressSync(body, { finishFlush: constants.ZSTD_e_flush, maxOutputLength }),
};

/**
 * Some servers leave out the header and the checksum of RFC 1950, and clients accept that (RFC 9110 section 8.4.1.2). Without a header,
 * the first bytes of a plain text can pass for such data, so all of the body must be used.
 */
function inflateBare(body: Uint8Array, maxOutputLength: number): Uint8Array {
  const { buffer, engine } = inflateRawSync(body, { maxOutputLength, info: true }) as unknown as {
    readonly buffer: Uint8Array;
    readonly engine: { readonly bytesWritten: number };
  };
  if (engine.bytesWritten !== body.length) throw new Error('The body has more than these data.');
  return buffer;
}

/** Each coding can multiply the size by a thousand. */
const MOST_CODINGS = 3;

/**
 * Decodes content codings that the request did not accept (RFC 9110 section 8.4): the body may have a refresh token.
 * @param codings the header `Content-Encoding`: codings in the order in which they were applied
 * @param limit the maximum number of decoded bytes, after each coding
 * @returns as much as can be decoded, at least the body itself; never throws
 */
export function decodeContent(body: Uint8Array, codings: string | undefined, limit: number): Uint8Array {
  const names = (codings ?? '').split(',').map((each) => each.trim().toLowerCase());
  let decoded = body;
  for (const name of names.toReversed().slice(0, MOST_CODINGS)) {
    const decode = Object.hasOwn(DECODERS, name) ? DECODERS[name] : undefined;
    try {
      decoded = decode?.(decoded, limit) ?? decoded;
    } catch {
      // The header is wrong about this one.
    }
  }
  return decoded;
}
