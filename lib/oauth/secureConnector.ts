import type { LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { hostLookup } from '../hostLookup.ts';
import { AddressRefused, checkedLookup, kindOf, literalAddress, type Reach } from './egress.ts';

/** The options of a connector. */
export interface ConnectorOptions {
  /** How long a connection may take, in milliseconds. */
  readonly timeoutMs: number;
  /** Certificates (PEM) to trust instead of those that Node trusts. */
  readonly ca?: string | undefined;
  /** Resolves host names; the addresses are checked. Default: a lookup that is shared with no other request. */
  readonly lookup?: LookupFunction | undefined;
}

/**
 * The only connector for requests with a client secret or a token in them. It uses no proxy, and connects only to an address that it has checked.
 * @throws AddressRefused if the address in the URL itself is not allowed: the connector does not use the resolver for it
 */
export function secureConnector(
  url: URL,
  reach: Reach,
  { timeoutMs, ca, lookup = hostLookup() }: ConnectorOptions,
) {
  const address = literalAddress(url);
  if (address !== undefined && !reach.has(kindOf(address))) throw new AddressRefused(kindOf(address));
  return buildConnector({
    allowH2: false,
    // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED could switch it off.
    rejectUnauthorized: true,
    minVersion: 'TLSv1.2',
    timeout: timeoutMs,
    ...(ca !== undefined && { ca }),
    lookup: checkedLookup(reach, lookup),
  });
}
