import { describe, expect, test } from 'vitest';
import { fingerprintOf, type Unmarked } from '../../../lib/config/fingerprint.ts';
import { CAREFUL_BEHAVIOR } from '../../../lib/rotation/core/connection.ts';

const CONNECTION: Required<Unmarked> = {
  name: 'crm',
  provider: 'generic',
  enabled: true,
  revocationUri: 'https://login.example.com/revoke',
  tokenUri: 'https://login.example/token',
  serviceUrl: 'https://crm.example/',
  allowPrivateNetwork: false,
  clientId: 'client',
  clientAuthentication: 'client_secret_basic',
  grant: 'client_credentials',
  clientKeys: [{ kind: 'key', name: 'k' }],
  assertionAudience: 'https://login.example',
  parameters: { scope: 'a' },
  secrets: { clientId: 'i', clientSecrets: ['s'], refreshToken: 'r', accessToken: 'a' },
  allowedSecrets: ['r'],
  vaults: { credential: 'https://c.example', token: 'https://t.example' },
  connectionString: {
    secret: 'c',
    holds: 'accessToken',
    template: { syntax: 'raw', text: '{accessToken}' },
  },
  behavior: CAREFUL_BEHAVIOR,
  renewBeforeMs: 1,
  expirationHorizonMs: 1,
  overwrite: false,
};

describe('the fingerprint of a connection', () => {
  // A different value clears every block after an upgrade, and each blocked connection sends a token request.
  test('is the same from version to version', () => {
    const {
      expirationHorizonMs: _,
      grant: _grant,
      clientKeys: _keys,
      assertionAudience: _audience,
      ...older
    } = CONNECTION;
    expect(fingerprintOf(older)).toBe('540fe3e64a703ee8');
  });

  test('changes with these members and no others', () => {
    const names = Object.keys(CONNECTION) as (keyof Unmarked)[];
    const before = fingerprintOf(CONNECTION);
    const clearing = names.filter(
      (name) => fingerprintOf({ ...CONNECTION, [name]: 'something else' }) !== before,
    );
    expect(clearing).toEqual([
      'tokenUri',
      'serviceUrl',
      'allowPrivateNetwork',
      'clientId',
      'clientAuthentication',
      'grant',
      'clientKeys',
      'assertionAudience',
      'parameters',
      'secrets',
      'vaults',
      'connectionString',
      'expirationHorizonMs',
    ]);
  });

  test('changes with the format of the request and the shape of the response', () => {
    const before = fingerprintOf(CONNECTION);
    for (const facts of [{ requestFormat: 'json' }, { response: { tokensIn: 'data' } }] as const)
      expect(fingerprintOf({ ...CONNECTION, behavior: { ...CAREFUL_BEHAVIOR, ...facts } })).not.toBe(before);
  });

  test('does not depend on the order of the members', () => {
    const { tokenUri, vaults, ...others } = CONNECTION;
    expect(fingerprintOf({ vaults, ...others, tokenUri })).toBe(fingerprintOf(CONNECTION));
  });

  test('does not change with a missing member', () => {
    const { clientId: _, ...without } = CONNECTION;
    expect(fingerprintOf({ ...CONNECTION, clientId: undefined })).toBe(fingerprintOf(without as Unmarked));
  });
});
