import type { LookupFunction } from 'node:net';
import { Client } from 'undici';
import { connectDeadline, type Deadlines, RESPONSE_DEADLINES, watchDeadlines } from './deadlines.ts';
import { decodeContent } from './decodeContent.ts';
import { AddressRefused, checkedLookup, kindOf, literalAddress, type Reach } from './egress.ts';
import { codeOf, Exchange, type ExchangeResult, REFUSED } from './exchange.ts';
import type { HttpTokenRequest } from './httpTokenRequest.ts';

/** The longest body that is read, in bytes. A token response has a few kilobytes. */
const LONGEST_BODY = 256 * 1024;
/**
 * The longest headers, in bytes in total. The limit is high, because a response that exceeds it is lost with its refresh token.
 */
const LONGEST_HEADERS = 64 * 1024;

/** The options of a token request that replace the defaults. */
export interface SendOptions {
  readonly deadlines?: Deadlines;
  /** Certificates (PEM) to trust instead of those that Node trusts. */
  readonly ca?: string;
  /** Resolves host names; the addresses are checked. Default: the machine's own resolver. */
  readonly lookup?: LookupFunction;
}

/**
 * Sends one request over its own connection, once: it follows no redirect and repeats nothing.
 * @param reach the kinds of addresses to which a connection is allowed, named in the URL or resolved
 * @param mayStillSend called synchronously just before the first byte is sent
 * @returns the result; never throws
 */
export async function postTokenRequest(
  url: URL,
  request: HttpTokenRequest,
  reach: Reach,
  mayStillSend: () => boolean,
  options: SendOptions = {},
): Promise<ExchangeResult> {
  const times = options.deadlines ?? RESPONSE_DEADLINES;
  const exchange: Exchange = new Exchange(() => {
    if (exchange.elapsed > connectDeadline(times)) return 'CONNECT_TIMEOUT';
    return mayStillSend() || REFUSED;
  });
  const over = new AbortController();
  let client: Client | undefined;
  try {
    refuseLiteral(url, reach);
    client = connectionTo(url, times, reach, options);
    const { headers, body } = request;
    client.dispatch(
      { path: url.pathname + url.search, method: 'POST', headers, body, reset: true },
      exchange,
    );
    void watchDeadlines(exchange, times, over.signal);
    return decoded(await exchange.result);
  } catch (thrown) {
    exchange.giveUp(codeOf(thrown));
    return exchange.result;
  } finally {
    over.abort();
    client?.destroy().catch(() => undefined);
  }
}

/**
 * A connection for one request. The server may close a connection that is kept alive while a POST is on its way, and then the
 * client cannot know whether the server read it. HTTP/1.1 only, because there `onRequestStart` comes right before the first byte.
 * undici's own timeouts are off or later than the deadlines: they would not wait for the event loop to poll.
 */
function connectionTo(url: URL, times: Deadlines, reach: Reach, { ca, lookup }: SendOptions): Client {
  return new Client(url.origin, {
    allowH2: false,
    connect: {
      // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED could switch it off.
      rejectUnauthorized: true,
      minVersion: 'TLSv1.2',
      timeout: times.hardMs,
      ...(ca !== undefined && { ca }),
      lookup: checkedLookup(reach, lookup),
    },
    headersTimeout: 0,
    bodyTimeout: 0,
    maxHeaderSize: LONGEST_HEADERS,
    maxResponseSize: LONGEST_BODY,
  });
}

/** The connector does not use the resolver for an address that is in the URL itself. */
function refuseLiteral(url: URL, reach: Reach): void {
  const address = literalAddress(url);
  if (address !== undefined && !reach.has(kindOf(address))) throw new AddressRefused(kindOf(address));
}

function decoded(result: ExchangeResult): ExchangeResult {
  if (result.kind !== 'response') return result;
  return { ...result, body: decodeContent(result.body, result.contentEncoding, LONGEST_BODY) };
}
