import type { LookupAddress } from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/**
 * The kind of an IP address.
 * - `public`: on the internet
 * - `private`: in a private network (RFC 1918, RFC 4193), such as an authorization server on premises
 * - `loopback`: on this machine
 * - `special`: never a token endpoint: the instance metadata of a cloud, link-local, shared, multicast and reserved
 *   addresses
 */
export type AddressKind = 'public' | 'private' | 'loopback' | 'special';

/** The kinds of addresses to which a connection is allowed. */
export type Reach = ReadonlySet<AddressKind>;

/** What decides where secrets may go. */
export interface EgressRules {
  /** For the local stack only. */
  readonly allowLoopback: boolean;
  /** Whether an https endpoint may be in a private network. */
  readonly allowPrivateNetwork: boolean;
}

type Row = readonly [network: string, prefix: number, kind: AddressKind];

/**
 * The first row that matches decides. Source: the IANA special-purpose address registries (RFC 6890), and the sources in the
 * comments.
 */
const IPV4: readonly Row[] = [
  // Azure's platform: DNS, health probes, agent (Microsoft Learn, "What is IP address 168.63.129.16?").
  ['168.63.129.16', 32, 'special'],
  ['0.0.0.0', 8, 'special'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'special'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'special'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'special'],
  ['192.168.0.0', 16, 'private'],
  ['198.18.0.0', 15, 'special'],
  ['224.0.0.0', 3, 'special'],
  ['0.0.0.0', 0, 'public'],
];

const IPV6: readonly Row[] = [
  ['::1', 128, 'loopback'],
  // Instance metadata of other clouds, inside the range of private networks.
  ['fd00:ec2::254', 128, 'special'],
  ['fd20:ce::254', 128, 'special'],
  ['fc00::', 7, 'private'],
  // Teredo and other protocol assignments: they embed an address that this table does not check.
  ['2001::', 23, 'special'],
  // Only global unicast addresses (RFC 4291 section 2.4) are left to connect to.
  ['2000::', 3, 'public'],
];

const listOf = (rows: readonly Row[], family: 'ipv4' | 'ipv6') =>
  rows.map(([network, prefix, kind]) => {
    const list = new BlockList();
    list.addSubnet(network, prefix, family);
    return { kind, contains: (address: string) => list.check(address, family) };
  });
const IPV4_RANGES = listOf(IPV4, 'ipv4');
const IPV6_RANGES = listOf(IPV6, 'ipv6');

/**
 * The kind of an address. An IPv6 address that represents an IPv4 address has the kind of that address.
 * @param address as `node:net` writes it, without brackets; a text that is not a valid IP address is `special`
 */
export function kindOf(address: string): AddressKind {
  if (isIP(address) === 4) return kindIn(IPV4_RANGES, address);
  const groups = groupsOf(address);
  if (!groups) return 'special';
  const embedded = embeddedIPv4(groups);
  return embedded === undefined ? kindIn(IPV6_RANGES, address) : kindIn(IPV4_RANGES, embedded);
}

/** The kinds of addresses that are allowed for a URL: http never leaves this machine. */
export function reachOf(url: URL, { allowLoopback, allowPrivateNetwork }: EgressRules): Reach {
  const reach = new Set<AddressKind>(allowLoopback ? ['loopback'] : []);
  if (url.protocol !== 'https:') return reach;
  return allowPrivateNetwork ? reach.add('public').add('private') : reach.add('public');
}

/** A connection to this address is not allowed; the code names its kind. */
export class AddressRefused extends Error {
  override readonly name = 'AddressRefused';
  readonly code: string;

  constructor(kind: AddressKind) {
    super('A connection to this address is not allowed.');
    this.code = `ADDRESS_${kind.toUpperCase()}`;
  }
}

/** The kind that the code of {@link AddressRefused} names; undefined for every other code. */
export function refusedKind(code: string): AddressKind | undefined {
  const kinds: readonly AddressKind[] = ['public', 'private', 'loopback', 'special'];
  return kinds.find((kind) => code === `ADDRESS_${kind.toUpperCase()}`);
}

/**
 * The IP address in a URL, if its host is one: `node:net` connects to it without a lookup. `URL` has already normalized
 * decimal, octal and hexadecimal forms.
 */
export function literalAddress({ hostname }: URL): string | undefined {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  return isIP(bare) === 0 ? undefined : bare;
}

/**
 * A resolver for a connector. It returns only addresses that it has checked, and the connector uses no others, so rebinding
 * the name after the check has no effect. One address that is not allowed refuses the whole name: no provider publishes
 * such a mixture, and the state of the network would decide which address is used.
 */
export function checkedLookup(reach: Reach, resolve: LookupFunction): LookupFunction {
  return (hostname, options, done) => {
    resolve(hostname, { ...options, all: true }, (error, found, family = 4) => {
      if (error) return done(error, []);
      const addresses: LookupAddress[] =
        typeof found === 'string' ? [{ address: found, family }] : [...found];
      const refused = addresses.map(({ address }) => kindOf(address)).find((kind) => !reach.has(kind));
      const [first] = addresses;
      if (refused || !first) return done(new AddressRefused(refused ?? 'special'), []);
      if (options.all) done(null, addresses);
      else done(null, first.address, first.family);
    });
  };
}

function kindIn(ranges: typeof IPV4_RANGES, address: string): AddressKind {
  return ranges.find(({ contains }) => contains(address))?.kind ?? 'special';
}

/** The eight groups of an IPv6 address; undefined if the text is not a valid one, or has a zone. */
function groupsOf(address: string): readonly number[] | undefined {
  const canonical = URL.parse(`http://[${address}]`)?.hostname.slice(1, -1);
  if (canonical === undefined) return undefined;
  const [head = '', tail] = canonical.split('::');
  const parse = (part: string) =>
    part
      .split(':')
      .filter(Boolean)
      .map((group) => Number.parseInt(group, 16));
  const [before, after] = [parse(head), parse(tail ?? '')];
  return [...before, ...Array(8 - before.length - after.length).fill(0), ...after];
}

/** Mapped (RFC 4291 section 2.5.5.2), NAT64 (RFC 6052 section 2.1) and 6to4 (RFC 3056 section 2) addresses. */
function embeddedIPv4(groups: readonly number[]): string | undefined {
  const prefix = groups
    .slice(0, 6)
    .map((group) => group.toString(16))
    .join(':');
  if (prefix === '0:0:0:0:0:ffff' || prefix === '64:ff9b:0:0:0:0') return dotted(groups[6], groups[7]);
  return groups[0] === 0x2002 ? dotted(groups[1], groups[2]) : undefined;
}

function dotted(high = 0, low = 0): string {
  return [high >> 8, high & 0xff, low >> 8, low & 0xff].join('.');
}
