import type { LookupFunction } from 'node:net';
import { buildConnector } from 'undici';
import { hostLookup } from '../hostLookup.ts';
import { AddressRefused, checkedLookup, kindOf, literalAddress, type Reach } from './egress.ts';
import { TlsSessions } from './tlsSessions.ts';

/** The options of a connector. */
export interface ConnectorOptions {
  /** How long a connection may take, in milliseconds. */
  readonly timeoutMs: number;
  /** What is known from earlier connections. Default: nothing. */
  readonly sessions?: TlsSessions | undefined;
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
  { timeoutMs, sessions = new TlsSessions(), lookup = hostLookup() }: ConnectorOptions,
) {
  const address = literalAddress(url);
  if (address !== undefined && !reach.has(kindOf(address))) throw new AddressRefused(kindOf(address));
  const connect = buildConnector({
    allowH2: false,
    // Explicit, because NODE_TLS_REJECT_UNAUTHORIZED could switch it off.
    rejectUnauthorized: true,
    timeout: timeoutMs,
    secureContext: sessions.secureContext,
    session: sessions.of(url.host),
    lookup: checkedLookup(reach, lookup),
  });
  return (target: buildConnector.Options, done: buildConnector.Callback) =>
    connect(target, (...[error, socket]) => {
      socket?.on('session', (session: Buffer) => sessions.remember(url.host, session));
      if (error) done(error, null);
      else done(null, socket);
    });
}
