import { createServer as createNetServer, type LookupFunction } from 'node:net';
import { describe, expect, test } from 'vitest';
import { createTokenEndpoint } from '../../../lib/oauth/tokenEndpoint.ts';
import { type ConnectionChanges, connectionNamed } from '../../unit/rotation/world/connection.ts';
import { startRawServer } from './rawServer.ts';

/** TEST-NET-1 (RFC 5737): looks like an address on the internet, but no server responds there. */
const SILENT = '192.0.2.1';
const credentials = { clientId: 'id', clientSecret: 'canary-secret', refreshToken: 'canary-refresh' };

/** One token request with the settings for Azure; the resolver returns these addresses, one after the other. */
async function requestTo(
  tokenUri: string,
  addresses: readonly string[] = [],
  changes: ConnectionChanges = {},
) {
  const asked: string[] = [];
  const lookup: LookupFunction = (hostname, _, done) => {
    asked.push(hostname);
    done(null, [{ address: addresses[asked.length - 1] ?? '127.0.0.1', family: 4 }]);
  };
  const endpoint = createTokenEndpoint({ allowLoopbackHttp: false, now: Date.now, lookup });
  const connection = connectionNamed('crm', { tokenUri, ...changes });
  let sent = false;
  const mayStillSend = () => {
    sent = true;
    return true;
  };
  const { failure } = await endpoint.send({ connection, ...credentials }, { mayStillSend, waitMs: 400 });
  return { failure, asked, sent };
}

describe('a token endpoint with a name', () => {
  test('that resolves to this machine gets no connection, and is retried because its address can change', async () => {
    const server = await startRawServer(() => undefined);
    const { failure, sent } = await requestTo(`https://login.example:${server.port}/token`, ['127.0.0.1']);
    expect(failure).toMatchObject({ class: 'retrying', code: 'address_refused' });
    expect(failure?.message).toMatch(
      /^Nothing was sent to login\.example:\d+: .* resolves to an address of this machine\.$/,
    );
    expect([sent, server.connections]).toEqual([false, []]);
  });

  test('that is rebound after the check gets a connection to the checked address', async () => {
    const server = await startRawServer(() => undefined);
    const uri = `https://login.example:${server.port}/token`;
    const { failure, asked } = await requestTo(uri, [SILENT, '127.0.0.1']);
    expect(failure).toMatchObject({ class: 'retrying', code: 'provider_unavailable' });
    expect(asked).toEqual(['login.example']);
    expect(server.connections).toEqual([]);
  });

  test('in a private network is refused, and the fix names the setting that allows it', async () => {
    const { failure } = await requestTo('https://adfs.example/token', ['10.1.2.3']);
    expect(failure).toMatchObject({
      code: 'address_refused',
      fix: expect.stringContaining('allowPrivateNetwork'),
    });
  });

  test('in a private network gets a connection if the entry allows it, and no other address does', async () => {
    const allowed = { allowPrivateNetwork: true };
    const { failure, sent } = await requestTo('https://adfs.example/token', ['10.255.255.254'], allowed);
    expect([failure?.code, sent]).toEqual(['provider_unavailable', false]);
    const literal = await requestTo('https://10.255.255.254/token', [], allowed);
    expect([literal.failure?.code, literal.sent]).toEqual(['provider_unavailable', false]);
    for (const address of ['169.254.169.254', '127.0.0.1', '100.64.0.1', '168.63.129.16']) {
      const refused = await requestTo('https://adfs.example/token', [address], allowed);
      expect(refused.failure?.code).toBe('address_refused');
    }
  });
});

describe('an address in the entry itself', () => {
  test.each([
    '127.0.0.1',
    '2130706433',
    '0177.0.0.1',
    '169.254.169.254',
    '10.1.2.3',
    '[::ffff:127.0.0.1]',
    '[::1]',
  ])('%s is refused without a connection, until the entry changes', async (host) => {
    const server = createNetServer(() => expect.fail('a connection was made')).listen(0, '127.0.0.1');
    await new Promise((resolve) => server.once('listening', resolve));
    const { port } = server.address() as { port: number };
    const { failure, asked, sent } = await requestTo(`https://${host}:${port}/token`);
    expect(failure).toMatchObject({ class: 'misconfigured', code: 'address_refused' });
    expect([asked, sent]).toEqual([[], false]);
    server.close();
  });
});
