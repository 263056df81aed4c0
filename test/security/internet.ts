import dns, { type LookupAddress } from 'node:dns';
import type { LookupFunction } from 'node:net';
import tls from 'node:tls';
import { vi } from 'vitest';

/** TEST-NET-1 (RFC 5737): addresses that look like the internet's, and belong to nobody. */
const INTERNET = '192.0.2.1';

/** What was asked of the resolver, and which addresses the connector was given. */
export interface Internet {
  /** Host names in the order in which they were looked up. */
  readonly lookups: readonly string[];
  /** Host name and address, for connections to a name of the test. */
  readonly dialled: readonly { readonly host: string; readonly address: string }[];
}

/**
 * An internet on this machine: each name below `.example` is at {@link INTERNET}, unless told, and what is connected to that
 * address arrives at 127.0.0.1. Everything else stays as it is: the rotator runs with its own resolver and connector, and an address
 * that it lets through is connected to for real.
 * @param addressesOf the answer of the `count`th lookup of a name
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
      lookup(name, { ...asked, all: true }, (error, answer) => {
        if (error) return done(error, []);
        const found = answer as LookupAddress[];
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
