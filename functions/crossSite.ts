import type { HttpRequest } from '@azure/functions';

/** These methods change nothing (RFC 9110 section 9.2.1), and a browser shows no page of another origin their responses. */
const SAFE: readonly string[] = ['GET', 'HEAD', 'OPTIONS'];

/**
 * Does a web page of another site send this request, with the identity of a user's browser? Browsers say so in `Sec-Fetch-Site`
 * (W3C Fetch Metadata), older ones in `Origin` (RFC 6454). Other programs send neither.
 */
export function isCrossSite({
  method,
  url,
  headers,
}: Pick<HttpRequest, 'method' | 'url' | 'headers'>): boolean {
  if (SAFE.includes(method)) return false;
  const site = headers.get('sec-fetch-site');
  if (site !== null) return site !== 'same-origin' && site !== 'none';
  const origin = headers.get('origin');
  if (origin === null) return false;
  // Not the whole origin: behind a proxy that ends TLS, the scheme of the address is another one.
  const host = URL.parse(origin)?.host;
  return host === undefined || host !== (headers.get('host') ?? URL.parse(url)?.host);
}

/** Why such a request is refused. */
export const CROSS_SITE = {
  code: 'forbidden',
  message: 'A web page of another site sent the request.',
  fix: 'Send the request from a program such as curl, not from a web page.',
} as const;
