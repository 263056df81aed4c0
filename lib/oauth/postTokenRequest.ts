import type { LookupFunction } from 'node:net';
import { Client } from 'undici';
import { connectDeadline, type Deadlines, RESPONSE_DEADLINES, watchDeadlines } from './deadlines.ts';
import { decodeContent } from './decodeContent.ts';
import { AddressRefused, checkedLookup, kindOf, literalAddress, type Reach } from './egress.ts';
import { codeOf, Exchange, type ExchangeResult, REFUSED } from './exchange.ts';
import type { HttpTokenRequest } from './httpTokenRequest.ts';

/** A token answer has a few kilobytes; more than this many bytes are not read. */
const LONGEST_BODY = 256 * 1024;
/** Bytes of all headers together. Generous, because with the headers a refresh token would be lost. */
const LONGEST_HEADERS = 64 * 1024;

/** How a grant is sent where it differs from the default. */
export interface SendOptions {
  readonly deadlines?: Deadlines;
  /** Certificates (PEM) to trust instead of those that Node trusts. */
  readonly ca?: string;
  /** Resolves host names; its answers are checked. Default: the machine's own resolver. */
  readonly lookup?: LookupFunction;
}

/**
 * Sends one request over a connection of its own, once: no redirect is followed, nothing is repeated.
 * @param reach the kinds of addresses that may be connected to, named in the URL or resolved
 * @param mayStillSend asked synchronously just before the first byte leaves
 * @returns what came of it; never throws
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
 * A connection that serves one request: on one kept alive, a POST may meet its end and nobody can tell whether
 * it was read. HTTP/1.1 only, because `onRequestStart` comes right before the first byte there. undici's own
 * timeouts stay out of the way of the deadlines: they would not wait for the event loop to poll.
 */
function connectionTo(url: URL, times: Deadlines, reach: Reach, { ca, lookup }: SendOptions): Client {
  return new Client(url.origin, {
    allowH2: false,
    connect: {
      // Said here because NODE_TLS_REJECT_UNAUTHORIZED could say otherwise.
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

/** The connector asks no resolver for an address that stands in the URL itself. */
function refuseLiteral(url: URL, reach: Reach): void {
  const address = literalAddress(url);
  if (address !== undefined && !reach.has(kindOf(address))) throw new AddressRefused(kindOf(address));
}

function decoded(result: ExchangeResult): ExchangeResult {
  if (result.kind !== 'answered') return result;
  return { ...result, body: decodeContent(result.body, result.contentEncoding, LONGEST_BODY) };
}
