import { request } from 'node:http';
import { Duplex, type Readable, Transform, Writable } from 'node:stream';
import { type Received, receivedFrom } from './exchange.ts';

/** The longest headers, in bytes in total. */
const LONGEST_HEADERS = 256 * 1024;

/**
 * Reads a response that breaks the rules of HTTP as most clients do: unexpected interim responses, folded headers, bare line feeds,
 * contradictory lengths. A client must parse interim responses that it does not expect (RFC 9110 section 15.2); the rest is leniency,
 * because a refresh token that is thrown away revokes its family when the old one is sent again. Only for a response that has already
 * been received over a connection that was checked: nothing is sent, and no other address is asked.
 * @param limit the maximum number of bytes of the body; the rest is not read
 * @param over ends the reading
 * @returns what was read, and whether it is whole; undefined if this is not an HTTP response; never throws
 */
export function readLeniently(
  bytes: Readable,
  limit: number,
  over: AbortSignal,
): Promise<{ received: Received; whole: boolean } | undefined> {
  const { promise, resolve } = Promise.withResolvers<{ received: Received; whole: boolean } | undefined>();
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() });
  const connection = Duplex.from({ readable: bytes.pipe(repairedHeads()), writable: nowhere });
  const reading = request({
    method: 'POST',
    createConnection: () => connection,
    insecureHTTPParser: true,
    maxHeaderSize: LONGEST_HEADERS,
  });
  over.addEventListener('abort', () => reading.destroy());
  reading.on('error', () => resolve(undefined)).on('close', () => resolve(undefined));
  reading.on('response', (response) => {
    const chunks: Buffer[] = [];
    let length = 0;
    const finish = (whole: boolean) => {
      const { statusCode = 0, headers } = response;
      const body = Buffer.concat(chunks).subarray(0, limit);
      resolve({ received: receivedFrom(statusCode, headers, body), whole });
    };
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length <= limit) return;
      finish(false);
      reading.destroy();
    });
    response.on('end', () => finish(response.complete)).on('error', () => finish(false));
  });
  reading.end();
  return promise;
}

const HEAD_END = /\r?\n\r?\n/g;
/** In characters, without the last one: so much of an end may be in the chunk before. */
const LONGEST_END = 3;
const INTERIM = /^HTTP\/[\d.]+ 1\d\d\b/;

/** Passes a response on with repaired heads: its own and those of the interim responses before it. */
function repairedHeads(): Transform {
  let head: string | undefined = '';
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      if (head === undefined) return done(null, chunk);
      // What was searched before is not searched again: a response may arrive byte by byte, with thousands of interim heads.
      const end = new RegExp(HEAD_END);
      end.lastIndex = Math.max(0, head.length - LONGEST_END);
      head += chunk.toString('latin1');
      for (let from = 0; ; from = end.lastIndex) {
        const found = end.exec(head);
        if (!found) {
          head = head.slice(from);
          return head.length > LONGEST_HEADERS ? done(new Error('The headers are too long.')) : done();
        }
        const text = head.slice(from, found.index);
        this.push(Buffer.from(`${repairHead(text)}\r\n\r\n`, 'latin1'));
        if (INTERIM.test(text)) continue;
        const rest = Buffer.from(head.slice(end.lastIndex), 'latin1');
        head = undefined;
        return done(null, rest);
      }
    },
    flush(done) {
      done(null, head === undefined ? undefined : Buffer.from(head, 'latin1'));
    },
  });
}

/** Repairs what even the lenient parser of Node refuses: a space before a colon, and a length that is stated more than once. */
function repairHead(head: string): string {
  const lines = head.split(/\r?\n/).map((line) => line.replace(/^([!#$%&'*+.^_`|~\w-]+)[ \t]+:/, '$1:'));
  const isLength = (line: string) => /^content-length:/i.test(line);
  const lengths = new Set(
    lines.filter(isLength).flatMap((line) =>
      line
        .slice(line.indexOf(':') + 1)
        .split(',')
        .map((each) => each.trim()),
    ),
  );
  const others = lines.filter((line) => !isLength(line));
  // Lengths that contradict each other say nothing: the body ends with the connection.
  return [...others, ...(lengths.size === 1 ? [`Content-Length: ${[...lengths][0]}`] : [])].join('\r\n');
}
