import type { LookupAddress, LookupOptions } from 'node:dns';
import type { LookupFunction } from 'node:net';
import { describe, expect, test } from 'vitest';
import {
  type AddressKind,
  checkedLookup,
  type EgressRules,
  kindOf,
  literalAddress,
  reachOf,
} from '../../../lib/oauth/egress.ts';

const KINDS: Readonly<Record<AddressKind, readonly string[]>> = {
  public: [
    '20.190.128.1',
    '9.255.255.255',
    '11.0.0.0',
    '100.63.255.255',
    '100.128.0.0',
    '126.255.255.255',
    '128.0.0.0',
  ]
    .concat([
      '168.63.129.15',
      '168.63.129.17',
      '169.253.255.255',
      '169.255.0.0',
      '172.15.255.255',
      '172.32.0.0',
    ])
    .concat([
      '192.167.255.255',
      '192.169.0.0',
      '223.255.255.255',
      '2603:1020::1',
      '2a01:111::1',
      '2001:200::1',
    ])
    .concat(['::ffff:20.190.128.1', '64:ff9b::20.190.128.1', '2002:14be:8001::1']),
  private: [
    '10.0.0.0',
    '10.255.255.255',
    '172.16.0.0',
    '172.31.255.255',
    '192.168.0.0',
    '192.168.255.255',
    'fc00::1',
  ].concat(['fdff:ffff::1', '::ffff:10.1.2.3', '64:ff9b::192.168.0.1', '2002:0a00:0001::']),
  loopback: [
    '127.0.0.1',
    '127.255.255.255',
    '::1',
    '::ffff:127.0.0.1',
    '64:ff9b::127.0.0.1',
    '2002:7f00:0001::1',
  ],
  special: [
    '0.0.0.0',
    '0.1.2.3',
    '100.64.0.0',
    '100.127.255.255',
    '168.63.129.16',
    '169.254.0.0',
    '169.254.169.254',
  ]
    .concat(['169.254.255.255', '192.0.0.192', '198.18.0.1', '224.0.0.1', '239.255.255.255', '240.0.0.1'])
    .concat([
      '255.255.255.255',
      '::',
      'fe80::1',
      'febf::1',
      'fe80::1%eth0',
      'fec0::1',
      'ff02::1',
      'fd00:ec2::254',
    ])
    .concat([
      '::ffff:169.254.169.254',
      '64:ff9b::168.63.129.16',
      '2002:a9fe:a9fe::',
      '2002:6440:1::',
      '::127.0.0.1',
    ])
    .concat(['64:ff9b:1::1', '2001::1', '100::1', 'localhost', '', '[::1]']),
};
const CASES = Object.entries(KINDS).flatMap(([kind, addresses]) =>
  addresses.map((address) => [address, kind as AddressKind] as const),
);

describe('an address', () => {
  test.each(CASES)('"%s" is %s', (address, kind) => expect(kindOf(address)).toBe(kind));

  const forms = ['127.0.0.1', '2130706433', '0177.0.0.1', '0x7f.1', '127.1', '[::ffff:127.0.0.1]', '[::1]'];
  test.each(forms)('of this machine is recognized in the form %s of a URL', (host) => {
    expect(kindOf(literalAddress(new URL(`https://${host}/`)) ?? '')).toBe('loopback');
  });

  test('is undefined if the URL has a host name', () => {
    expect(literalAddress(new URL('https://127.0.0.1.example/'))).toBeUndefined();
  });
});

describe('the reach', () => {
  const none = { allowLoopback: false, allowPrivateNetwork: false };
  test.each<[string, EgressRules, AddressKind[]]>([
    ['https:', none, ['public']],
    ['https:', { ...none, allowPrivateNetwork: true }, ['private', 'public']],
    ['https:', { ...none, allowLoopback: true }, ['loopback', 'public']],
    ['http:', { allowLoopback: true, allowPrivateNetwork: true }, ['loopback']],
    ['http:', none, []],
  ])('of %s with %o is %o', (scheme, rules, expected) => {
    expect([...reachOf(new URL(`${scheme}//host/`), rules)].sort()).toEqual(expected);
  });
});

/** The result that a connector gets for a name. */
function resolved(found: string | LookupAddress[], options: LookupOptions = { all: true }): Promise<unknown> {
  const resolver: LookupFunction = (_, asked, done) => {
    expect(asked.all).toBe(true);
    done(null, found, 6);
  };
  return new Promise((resolve) =>
    checkedLookup(new Set(['public']), resolver)('name', options, (error, address, family) =>
      resolve(error ?? (options.all ? address : { address, family })),
    ),
  );
}

describe('a name', () => {
  const good = { address: '20.190.128.1', family: 4 };
  const also = { address: '2603:1020::1', family: 6 };

  test('resolves to all its addresses', async () =>
    expect(await resolved([good, also])).toEqual([good, also]));

  test('resolves to the first address if the caller asks for one', async () =>
    expect(await resolved([good, also], {})).toEqual(good));

  test('resolves to the address of a resolver that returns only one', async () =>
    expect(await resolved(also.address)).toEqual([also]));

  test.each(['127.0.0.1', '10.0.0.1', '169.254.169.254', '::ffff:127.0.0.1'])(
    'with %s among its addresses is refused as a whole',
    async (address) => {
      const bad = { address, family: 4 };
      for (const all of [[good, bad], [bad, good], [bad]]) {
        expect(await resolved(all)).toMatchObject({ code: expect.stringMatching(/^ADDRESS_/) });
      }
    },
  );

  test('without any address is refused', async () =>
    expect(await resolved([])).toMatchObject({ code: 'ADDRESS_SPECIAL' }));
});
