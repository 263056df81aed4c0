import dns, { type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import tls from 'node:tls';
import { vi } from 'vitest';

/** TEST-NET-1 (RFC 5737): addresses that look public, and that no host on the internet has. */
const INTERNET = '192.0.2.1';

/** The names that the resolver looked up, and the addresses that the connector used. */
export interface Internet {
  /** Host names in the order in which they were looked up. */
  readonly lookups: readonly string[];
  /** Host name and address, for connections to a name of the test. */
  readonly dialled: readonly { readonly host: string; readonly address: string }[];
}

/**
 * Simulates the internet on this machine. Each name below `.example` resolves to {@link INTERNET} by default, and a connection to that
 * address arrives at 127.0.0.1. Everything else is unchanged: the rotator uses its own resolver and connector, and really connects to
 * each address that it allows.
 * @param addressesOf the result of the `count`th lookup of a name; undefined for the default
 */
export function simulateInternet(
  addressesOf: (host: string, count: number) => readonly string[] | undefined,
): Internet {
  const lookups: string[] = [];
  const dialled: { host: string; address: string }[] = [];
  const realLookup = dns.lookup as LookupFunction;
  const resolve: LookupFunction = (host, options, done) => {
    if (!host.endsWith('.example')) return realLookup(host, options, done);
    lookups.push(host);
    const count = lookups.filter((each) => each === host).length;
    const found = (addressesOf(host, count) ?? [INTERNET]).map((address) => ({ address, family: 4 }));
    process.nextTick(done, null, found);
  };
  vi.spyOn(dns, 'lookup').mockImplementation(resolve as typeof dns.lookup);
  const realConnect = tls.connect;
  vi.spyOn(tls, 'connect').mockImplementation(((options: tls.ConnectionOptions) => {
    const { host = '', lookup = resolve } = options;
    if (!host.endsWith('.example')) return realConnect(options);
    const route: LookupFunction = (name, asked, done) =>
      lookup(name, { ...asked, all: true }, (error, addresses) => {
        if (error) return done(error, []);
        const found = addresses as LookupAddress[];
        dialled.push(...found.map(({ address }) => ({ host, address })));
        const elsewhere = found.map(({ address, family }) => ({ address: routed(address), family }));
        done(null, elsewhere);
      });
    return realConnect({ ...options, lookup: route });
  }) as typeof tls.connect);
  return { lookups, dialled };
}

function routed(address: string): string {
  return address === INTERNET ? '127.0.0.1' : address;
}
