import type { LookupFunction, Socket } from 'node:net';
import { Client } from 'undici';
import type { SendTerms } from '../rotation/core/tokenRequest.ts';
import { connectDeadline, watchDeadlines } from './deadlines.ts';
import { decodeContent } from './decodeContent.ts';
import type { Reach } from './egress.ts';
import { codeOf, Exchange, type ExchangeResult, REFUSED, type Received } from './exchange.ts';
import type { HttpTokenRequest } from './httpTokenRequest.ts';
import { KeptConnection } from './keptConnection.ts';
import { readLeniently } from './readLeniently.ts';
import { secureConnector } from './secureConnector.ts';
import type { TlsSessions } from './tlsSessions.ts';

/** The longest body that is read, in bytes. A token response has a few kilobytes. */
const LONGEST_BODY = 256 * 1024;
/** The longest headers that undici reads, in bytes in total. The second reading accepts longer ones. */
const LONGEST_HEADERS = 64 * 1024;

/** Why a connection is closed after its request; undici would make an error with its stack each time. */
const OVER = new Error('The request is over.');

/** The options of a token request that replace the defaults. */
export interface SendOptions {
  /** What is known from earlier connections. Default: nothing. */
  readonly sessions?: TlsSessions;
  /** Resolves host names; the addresses are checked. Default: a lookup that is shared with no other request. */
  readonly lookup?: LookupFunction;
}

/**
 * Sends one request over its own connection, once: it follows no redirect and repeats nothing.
 * @param reach the kinds of addresses to which a connection is allowed, named in the URL or resolved
 * @param terms when the request may be sent, and how long its response is awaited
 * @returns the result; never throws
 */
export async function postTokenRequest(
  url: URL,
  request: HttpTokenRequest,
  reach: Reach,
  { mayStillSend, waitMs }: SendTerms,
  options: SendOptions = {},
): Promise<ExchangeResult> {
  const exchange: Exchange = new Exchange(() => {
    if (exchange.elapsed > connectDeadline(waitMs)) return 'CONNECT_TIMEOUT';
    return mayStillSend() || REFUSED;
  });
  const stopWatching = watchDeadlines(exchange, waitMs);
  let over = false;
  let client: Client | undefined;
  let connection: KeptConnection | undefined;
  const keep = (socket: Socket) => {
    connection = new KeptConnection(socket, () => exchange.sent && !over);
    return connection;
  };
  try {
    client = connectionTo(url, waitMs, reach, options, keep);
    const { headers, body } = request;
    client.dispatch(
      { path: url.pathname + url.search, method: 'POST', headers, body, reset: true },
      exchange,
    );
    return decoded(await readAgain(await exchange.result, connection, waitMs - exchange.elapsed));
  } catch (thrown) {
    exchange.giveUp(codeOf(thrown));
    return exchange.result;
  } finally {
    over = true;
    stopWatching();
    connection?.hangUp();
    client?.destroy(OVER).catch(() => undefined);
  }
}

/**
 * Gives a response that undici rejects a second, lenient reading: its refresh token may be the only one that works.
 * @param remainingMs how long the rest of the response may take, in milliseconds
 */
async function readAgain(
  result: ExchangeResult,
  connection: KeptConnection | undefined,
  remainingMs: number,
): Promise<ExchangeResult> {
  // If undici has not given the connection up, a deadline ended the exchange.
  if (result.kind !== 'no_response' || !connection?.destroyed || remainingMs <= 0) return result;
  const { why } = result;
  const deadline = AbortSignal.timeout(Math.ceil(remainingMs));
  const { received, whole } = (await readLeniently(connection.readAgain(), LONGEST_BODY, deadline)) ?? {};
  if (!received) return result;
  return whole ? { kind: 'response', malformed: why, ...received } : { ...result, received };
}

/**
 * A connection for one request. The server may close a connection that is kept alive while a POST is on its way, and then the
 * client cannot know whether the server read it. HTTP/1.1 only, because there `onRequestStart` comes right before the first byte.
 * undici's own timeouts are off or later than the deadlines: they would not wait for the event loop to poll.
 */
function connectionTo(
  url: URL,
  waitMs: number,
  reach: Reach,
  { sessions, lookup }: SendOptions,
  keep: (socket: Socket) => KeptConnection,
): Client {
  const connect = secureConnector(url, reach, { timeoutMs: waitMs, sessions, lookup });
  return new Client(url.origin, {
    // undici needs no more of a socket than a stream has; its types ask for a socket.
    connect: (target, done) =>
      connect(target, (error, socket) =>
        socket ? done(null, keep(socket) as unknown as Socket) : done(error, null),
      ),
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: LONGEST_HEADERS,
    maxResponseSize: LONGEST_BODY,
  });
}

function decoded(result: ExchangeResult): ExchangeResult {
  const decode = <T extends Received>(received: T): T => ({
    ...received,
    body: decodeContent(received.body, received.contentEncoding, LONGEST_BODY),
  });
  if (result.kind === 'response') return decode(result);
  if (result.kind === 'no_response' && result.received)
    return { ...result, received: decode(result.received) };
  return result;
}
