import { describe, expect, test } from 'vitest';
import { readEnvironment } from '../../../lib/config/environment.ts';
import { parseConnections } from '../../../lib/config/parseConnections.ts';
import type { Limits } from '../../../lib/config/settings.ts';
import { thrownBy } from '../../support/thrown.ts';
import { CONTEXT, ENTRY, fileOf, GOOD_ENV, shown } from './support.ts';

function parsed(entry: object, limits: Limits) {
  return parseConnections(fileOf({ crm: { ...ENTRY, ...entry } }), { ...CONTEXT, limits });
}

describe('the settings that limit the connections file', () => {
  test('set no limit if they are missing', () => {
    expect(readEnvironment(GOOD_ENV).limits).toEqual({});
  });

  test('are lists with spaces or commas', () => {
    const env = {
      ALLOWED_SECRETS: 'Shared-Secret, other',
      ALLOWED_TOKEN_HOSTS: ' login.microsoftonline.com\n*.OKTA.com ',
      ALLOWED_VAULTS: 'https://a.vault.azure.net/, https://b.vault.azure.net',
    };
    expect(readEnvironment({ ...GOOD_ENV, ...env }).limits).toEqual({
      secrets: ['shared-secret', 'other'],
      tokenHosts: ['login.microsoftonline.com', '*.okta.com'],
      vaults: ['https://a.vault.azure.net', 'https://b.vault.azure.net'],
    });
  });

  test.each([
    ['ALLOWED_SECRETS', 'a b*'],
    ['ALLOWED_SECRETS', ','],
    ['ALLOWED_TOKEN_HOSTS', 'https://login.example.com'],
    ['ALLOWED_TOKEN_HOSTS', 'login.example.com:'],
    ['ALLOWED_TOKEN_HOSTS', 'login.example.com:0'],
    ['ALLOWED_TOKEN_HOSTS', '*'],
    ['ALLOWED_TOKEN_HOSTS', 'a.*.com'],
    ['ALLOWED_VAULTS', 'vault.azure.net'],
    ['ALLOWED_VAULTS', 'https://a.vault.azure.net/secrets'],
  ])('%s=%s is refused', (name, value) => {
    const error = thrownBy(() => readEnvironment({ ...GOOD_ENV, [name]: value }));
    expect(error).toMatchObject({
      code: 'configuration_invalid',
      fix: expect.stringContaining(`Set ${name} to`),
    });
  });
});

describe('ALLOWED_TOKEN_HOSTS', () => {
  const { tokenHosts = [] } = readEnvironment({
    ...GOOD_ENV,
    ALLOWED_TOKEN_HOSTS: 'login.example.com:443 *.okta.example other.example:8443 *.wild.example:8443',
  }).limits;
  test.each([
    'https://login.example.com/t',
    'https://LOGIN.example.com:443/t',
    'https://a.b.okta.example/t',
    'https://other.example:8443/t',
    'https://a.wild.example:8443/t',
  ])('allows %s', (tokenUri) => expect(parsed({ tokenUri }, { tokenHosts }).valid).toHaveLength(1));

  test.each([
    'https://evil.example/t',
    'https://login.example.com:8443/t',
    'https://a.okta.example:8443/t',
    'https://other.example/t',
    'https://a.wild.example/t',
    'https://login.example.com.evil.example/t',
    'https://evil-login.example.com/t',
    'https://okta.example/t',
    'https://evilokta.example/t',
    'https://login.example.com./t',
  ])('refuses %s', (tokenUri) => {
    const { valid, invalid } = parsed({ tokenUri }, { tokenHosts });
    expect(valid).toEqual([]);
    expect(shown(invalid[0]?.problem ?? expect.fail())).toContain('ALLOWED_TOKEN_HOSTS');
  });

  test('applies to the address of a provider profile as well', () => {
    const entry = { tokenUri: undefined, provider: 'google' };
    expect(parsed(entry, { tokenHosts }).valid).toEqual([]);
    expect(parsed(entry, { tokenHosts: ['oauth2.googleapis.com'] }).valid).toHaveLength(1);
  });
});

test('ALLOWED_TOKEN_HOSTS allows this machine with any port if http to it is allowed', () => {
  const context = { ...CONTEXT, limits: { tokenHosts: ['127.0.0.1'] } };
  const text = fileOf({ crm: { tokenUri: 'http://127.0.0.1:8080/t' } });
  expect(parseConnections(text, { ...context, allowLoopbackHttp: true }).valid).toHaveLength(1);
});

describe('an assertion of the client', () => {
  const revocationUri = 'https://login.example.com:8443/revoke';
  test.each(['managed_identity_federation', 'private_key_jwt'])(
    'of %s goes to no other host or port than that of the token endpoint, whatever the settings allow',
    (clientAuthentication) => {
      const tokenHosts = ['login.example.com', 'login.example.com:8443'];
      const entry = { clientAuthentication, clientId: 'a' };
      expect(parsed(entry, { tokenHosts }).valid).toHaveLength(1);
      const { invalid } = parsed({ ...entry, revocationUri }, { tokenHosts });
      expect(shown(invalid[0]?.problem ?? expect.fail())).toContain('must have the host of tokenUri');
      const same = { ...entry, revocationUri: 'https://login.example.com/revoke' };
      expect(parsed(same, { tokenHosts }).valid).toHaveLength(1);
    },
  );

  test('with a token of the identity goes to no host but this machine because http to it is allowed', () => {
    const entryWith = (tokenUri: string) =>
      fileOf({ crm: { tokenUri, clientAuthentication: 'managed_identity_federation' } });
    const local = { ...CONTEXT, allowLoopbackHttp: true };
    expect(parseConnections(entryWith('http://127.0.0.1:8080/t'), local).valid).toHaveLength(1);
    expect(parseConnections(entryWith('https://evil.example/t'), local).valid).toEqual([]);
  });
});

test('ALLOWED_VAULTS limits vaults to those of the settings and the list', () => {
  const limits = { vaults: ['https://other.vault.azure.net'] };
  expect(parsed({}, limits).valid).toHaveLength(1);
  for (const key of ['credential', 'token']) {
    expect(parsed({ vaults: { [key]: 'https://other.vault.azure.net' } }, limits).valid).toHaveLength(1);
    const { invalid } = parsed({ vaults: { [key]: 'https://evil.vault.azure.net' } }, limits);
    expect(shown(invalid[0]?.problem ?? expect.fail())).toContain('ALLOWED_VAULTS');
  }
});

test('ALLOWED_SECRETS allows a connection the credentials that it names, and nothing else', () => {
  const secrets = { clientSecret: ['Shared', 'other'], accessToken: 'shared-too' };
  const connectionWith = (...allowed: string[]) => parsed({ secrets }, { secrets: allowed }).valid[0];
  expect(connectionWith('shared', 'shared-too')?.allowedSecrets).toEqual(['shared']);
  expect(connectionWith('*')?.allowedSecrets).toEqual([
    'crm-client-id',
    'shared',
    'other',
    'crm-refresh-token',
  ]);
  expect(connectionWith('unknown')).not.toHaveProperty('allowedSecrets');
});
