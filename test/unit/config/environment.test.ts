import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { readEnvironment } from '../../../lib/config/environment.ts';
import { settingNames, withoutSettings } from '../../../lib/config/settingNames.ts';
import { thrownBy } from '../../support/thrown.ts';
import { GOOD_ENV, shown } from './support.ts';

const CANARY = 'canary-7d1e';
const CLIENT_ID = '29453d6f-6789-45ab-8d8c-44fa3c527831';
const TENANT = '11111111-2222-3333-4444-55555555abcd';

describe('a missing setting has a default', () => {
  it('the smallest environment gives all settings', () => {
    expect(readEnvironment(GOOD_ENV)).toEqual({
      credentialVaultUrl: 'https://credentials.vault.azure.net',
      tokenVaultUrl: 'https://credentials.vault.azure.net',
      connectionsSource: { kind: 'file', path: 'connections.json' },
      schedule: '*/10 * * * * *',
      scheduleIntervalMs: 10_000,
      storage: { kind: 'identity', blobServiceUrl: 'https://rotatorstore.blob.core.windows.net' },
      vaultWritesPer10Seconds: 297,
      allowLoopbackHttp: false,
      limits: {},
      warnings: [],
    });
  });

  it('accepts the sample of local settings', () => {
    const sample = JSON.parse(readFileSync('local.settings.sample.json', 'utf8'));
    expect(readEnvironment(sample.Values)).toMatchObject({
      tokenVaultUrl: 'https://my-token-vault.vault.azure.net',
      storage: { kind: 'connectionString', connectionString: 'UseDevelopmentStorage=true' },
      warnings: [],
    });
  });
});

describe('a setting is used', () => {
  it.each<[string, Record<string, string>, object]>([
    [
      'a slash at the end of a vault and white space around it are removed',
      { CREDENTIAL_VAULT_URL: ' https://A.vault.azure.net/ ' },
      { credentialVaultUrl: 'https://a.vault.azure.net', tokenVaultUrl: 'https://a.vault.azure.net' },
    ],
    [
      'a token vault of its own',
      { TOKEN_VAULT_URL: 'https://b.vault.azure.net:8443' },
      { tokenVaultUrl: 'https://b.vault.azure.net:8443' },
    ],
    [
      'an empty variable is the same as none',
      { TOKEN_VAULT_URL: ' ' },
      { tokenVaultUrl: GOOD_ENV.CREDENTIAL_VAULT_URL },
    ],
    [
      'http to this machine where it is allowed',
      { CREDENTIAL_VAULT_URL: 'http://127.0.0.1:8080', ALLOW_LOOPBACK_HTTP: 'true' },
      { credentialVaultUrl: 'http://127.0.0.1:8080', allowLoopbackHttp: true },
    ],
    [
      'JSON text as connections',
      { CONNECTIONS: ' {}' },
      { connectionsSource: { kind: 'inline', text: '{}' } },
    ],
    [
      'a list as connections is read as JSON, not as a path',
      { CONNECTIONS: '["x"]' },
      { connectionsSource: { kind: 'inline', text: '["x"]' } },
    ],
    [
      'text of several lines is read as JSON, not as a path',
      { CONNECTIONS: '// mine\n{}' },
      { connectionsSource: { kind: 'inline', text: '// mine\n{}' } },
    ],
    [
      'a Windows path',
      { CONNECTIONS: 'C:\\home\\connections.json' },
      { connectionsSource: { kind: 'file', path: 'C:\\home\\connections.json' } },
    ],
    [
      'the address of a blob',
      { CONNECTIONS: 'https://a.blob.core.windows.net/config/connections.json' },
      { connectionsSource: { kind: 'blob', url: 'https://a.blob.core.windows.net/config/connections.json' } },
    ],
    [
      'the address of a blob on this machine if it is allowed',
      { CONNECTIONS: 'http://localhost:10000/account/config/c.json', ALLOW_LOOPBACK_HTTP: 'TRUE' },
      { connectionsSource: { kind: 'blob', url: 'http://localhost:10000/account/config/c.json' } },
    ],
    [
      'a schedule',
      { ROTATION_SCHEDULE: '0 */5 * * * *' },
      { schedule: '0 */5 * * * *', scheduleIntervalMs: 300_000 },
    ],
    [
      'an app role, with a platform that authenticates callers',
      {
        REQUIRED_APP_ROLE: ' Tokens.Rotate ',
        REQUIRED_TENANT_ID: TENANT.toUpperCase(),
        WEBSITE_AUTH_ENABLED: 'True',
      },
      { callers: { requiredRole: 'Tokens.Rotate', tenant: TENANT, platformAuthenticates: true } },
    ],
    [
      'an app role, with a platform that does not authenticate callers: that stops calls, not sweeps',
      { REQUIRED_APP_ROLE: 'Tokens.Rotate', REQUIRED_TENANT_ID: TENANT, WEBSITE_AUTH_ENABLED: 'False' },
      { callers: { requiredRole: 'Tokens.Rotate', tenant: TENANT, platformAuthenticates: false } },
    ],
    [
      'an app role without the id of a tenant: that stops calls, not sweeps',
      { REQUIRED_APP_ROLE: 'Tokens.Rotate', REQUIRED_TENANT_ID: 'contoso', WEBSITE_AUTH_ENABLED: 'True' },
      { callers: { requiredRole: 'Tokens.Rotate', tenant: undefined, platformAuthenticates: true } },
    ],
    [
      'a share of the subscription, and a number of addresses',
      { SUBSCRIPTION_WRITES_PER_10_SECONDS: '150', ALARM_RECIPIENTS: '0' },
      { subscriptionWritesPer10Seconds: 150, alarmRecipients: 0 },
    ],
    ['a number of writes', { VAULT_WRITES_PER_10_SECONDS: '300' }, { vaultWritesPer10Seconds: 300 }],
    [
      "the storage account's address, with precedence over its name",
      { AzureWebJobsStorage__blobServiceUri: 'https://a.blob.core.usgovcloudapi.net/' },
      { storage: { kind: 'identity', blobServiceUrl: 'https://a.blob.core.usgovcloudapi.net' } },
    ],
    [
      'the client id of the storage identity, for the vaults as well',
      { AzureWebJobsStorage__clientId: CLIENT_ID, AzureWebJobsStorage__credential: 'managedIdentity' },
      { storage: { kind: 'identity', clientId: CLIENT_ID }, managedIdentityClientId: CLIENT_ID },
    ],
    ['a client id for the vaults', { AZURE_CLIENT_ID: CLIENT_ID }, { managedIdentityClientId: CLIENT_ID }],
  ])('%s', (_, env, expected) => {
    expect(readEnvironment({ ...GOOD_ENV, ...env })).toMatchObject(expected);
  });

  it.each([
    ['the emulator', 'UseDevelopmentStorage=true'],
    [
      'an account with its key',
      'DefaultEndpointsProtocol=https;AccountName=a;AccountKey=b==;EndpointSuffix=core.windows.net',
    ],
    [
      'an endpoint with a signature',
      'BlobEndpoint=https://a.blob.core.windows.net;SharedAccessSignature=sv=1',
    ],
  ])('a connection string takes precedence over an identity, as in the host: %s', (_, connectionString) => {
    const settings = readEnvironment({ ...GOOD_ENV, AzureWebJobsStorage: connectionString });
    expect(settings.storage).toEqual({ kind: 'connectionString', connectionString });
    expect(settings.warnings).toEqual([expect.stringContaining('AzureWebJobsStorage__accountName')]);
  });
});

describe('proxy variables are ignored with a warning', () => {
  it.each([
    'HTTPS_PROXY',
    'https_proxy',
    'HTTP_PROXY',
    'http_proxy',
    'ALL_PROXY',
    'all_proxy',
    'Https_Proxy',
  ])('%s', (name) => {
    const { warnings } = readEnvironment({ ...GOOD_ENV, [name]: `http://user:${CANARY}@proxy` });
    expect(warnings).toEqual([expect.stringContaining(`${name} is ignored`)]);
    expect(warnings.join()).not.toContain(CANARY);
  });

  it('one that is not in use may be for other programs', () => {
    const env = { ...GOOD_ENV, HTTPS_PROXY: 'http://proxy:8080', ALL_PROXY: 'socks5://proxy:1080' };
    expect(readEnvironment(env).warnings).toHaveLength(2);
  });

  it('an empty one and NO_PROXY cause no warning', () => {
    expect(readEnvironment({ ...GOOD_ENV, HTTPS_PROXY: '', NO_PROXY: '*' }).warnings).toEqual([]);
  });
});

describe('a problem names the variable, the cause and the fix, and repeats no value', () => {
  it.each<[string, Record<string, string | undefined>, string]>([
    ['no vault', { CREDENTIAL_VAULT_URL: undefined }, 'CREDENTIAL_VAULT_URL is not set'],
    [
      'a vault that is not an address',
      { CREDENTIAL_VAULT_URL: CANARY },
      'CREDENTIAL_VAULT_URL is not an absolute address',
    ],
    [
      'a vault over http',
      { CREDENTIAL_VAULT_URL: `http://${CANARY}` },
      'CREDENTIAL_VAULT_URL must use https',
    ],
    ['http to this machine', { TOKEN_VAULT_URL: 'http://localhost:1' }, 'ALLOW_LOOPBACK_HTTP=true'],
    [
      'http to another machine though loopback is allowed',
      { TOKEN_VAULT_URL: `http://localhost.${CANARY}`, ALLOW_LOOPBACK_HTTP: 'true' },
      'TOKEN_VAULT_URL must use https',
    ],
    [
      'a vault with a path',
      { TOKEN_VAULT_URL: `https://a/${CANARY}` },
      'TOKEN_VAULT_URL must not have a path',
    ],
    ['a vault with a query', { TOKEN_VAULT_URL: `https://a?${CANARY}` }, 'must not have a query'],
    ['a vault with an empty query', { TOKEN_VAULT_URL: 'https://a?' }, 'must not have a query'],
    ['a vault with a fragment', { TOKEN_VAULT_URL: `https://a#${CANARY}` }, 'must not have a fragment'],
    ['a vault with user info', { TOKEN_VAULT_URL: `https://u:${CANARY}@a` }, 'must not contain a user name'],
    ['a vault with empty user info', { TOKEN_VAULT_URL: 'https://@a' }, 'must not contain a user name'],
    ['a vault with a line end inside', { TOKEN_VAULT_URL: `https://a\n${CANARY}` }, 'contains white space'],
    [
      'a vault of 10 kB',
      { TOKEN_VAULT_URL: `https://${'a'.repeat(10_000)}` },
      'is longer than 2000 characters',
    ],
    ['no connections', { CONNECTIONS: '' }, 'CONNECTIONS is not set'],
    ['connections over http', { CONNECTIONS: `http://a/${CANARY}/c` }, 'CONNECTIONS must use https'],
    ['connections on this machine', { CONNECTIONS: 'http://[::1]/c/b' }, 'ALLOW_LOOPBACK_HTTP=true'],
    ['connections by file URL', { CONNECTIONS: `file:///${CANARY}` }, 'CONNECTIONS must use https'],
    ['connections by a signed URL', { CONNECTIONS: `https://a/c/b?sig=${CANARY}` }, 'must not have a query'],
    ['connections without a blob', { CONNECTIONS: `https://a/${CANARY}/` }, 'without container and blob'],
    [
      'a flag that is neither true nor false',
      { ALLOW_LOOPBACK_HTTP: CANARY },
      'ALLOW_LOOPBACK_HTTP is neither true nor false',
    ],
    ['0 writes', { VAULT_WRITES_PER_10_SECONDS: '0' }, 'not a whole number from 1 to 300'],
    [
      '1501 writes of the subscription',
      { SUBSCRIPTION_WRITES_PER_10_SECONDS: '1501' },
      'not a whole number from 1 to 1500',
    ],
    ['an address instead of a number', { ALARM_RECIPIENTS: 'a@b.example' }, 'not a whole number'],
    ['301 writes', { VAULT_WRITES_PER_10_SECONDS: '301' }, 'not a whole number from 1 to 300'],
    [
      'writes in words',
      { VAULT_WRITES_PER_10_SECONDS: CANARY },
      'VAULT_WRITES_PER_10_SECONDS is not a whole number',
    ],
    ['writes with a fraction', { VAULT_WRITES_PER_10_SECONDS: '2.5' }, 'not a whole number from 1 to 300'],
    [
      'a schedule of five fields',
      { ROTATION_SCHEDULE: '*/5 * * * *' },
      'ROTATION_SCHEDULE is not an NCRONTAB schedule: it has 5 fields with spaces between them, not 6',
    ],
    [
      'a schedule that is not valid',
      { ROTATION_SCHEDULE: CANARY },
      'ROTATION_SCHEDULE is not an NCRONTAB schedule: it has 1 field with',
    ],
    [
      'a schedule with a Sunday that only other programs call 7',
      { ROTATION_SCHEDULE: '*/10 * * * * 1-7' },
      'field 6 (day of week) takes numbers from 0 to 6 and names from Sunday to Saturday',
    ],
    [
      'a schedule with a line break at its end, which the host would refuse',
      { ROTATION_SCHEDULE: '*/10 * * * * *\n' },
      'field 6 (day of week) takes',
    ],
    [
      'a schedule that never runs',
      { ROTATION_SCHEDULE: '0 0 0 30 2 *' },
      'ROTATION_SCHEDULE is not an NCRONTAB schedule: no date matches it',
    ],
    [
      'no storage',
      { AzureWebJobsStorage__accountName: undefined },
      'AzureWebJobsStorage__accountName is not set',
    ],
    [
      'a wrong account',
      { AzureWebJobsStorage__accountName: `A_${CANARY}` },
      'is not a valid storage account name',
    ],
    [
      'a wrong address of storage',
      { AzureWebJobsStorage__blobServiceUri: `https://a/${CANARY}` },
      'AzureWebJobsStorage__blobServiceUri must not have a path',
    ],
    ['another credential', { AzureWebJobsStorage__credential: CANARY }, 'is not managedidentity'],
    [
      'a proxy without a scheme',
      { https_proxy: '127.0.0.1:8080' },
      'https_proxy is not an http or https URL',
    ],
    ['a proxy whose host looks like a scheme', { HTTP_PROXY: `${CANARY}:8080` }, 'HTTP_PROXY is not an http'],
    ['a proxy of another kind', { ALL_PROXY: `socks5://${CANARY}:1080` }, 'ALL_PROXY is not an http'],
    ['a client id that is not valid', { AZURE_CLIENT_ID: CANARY }, 'AZURE_CLIENT_ID is not a client id'],
    [
      'a client id for storage that is not valid',
      { AzureWebJobsStorage__clientId: CANARY },
      'AzureWebJobsStorage__clientId is not a client id',
    ],
    [
      'a connection string that is not valid',
      { AzureWebJobsStorage: CANARY },
      'AzureWebJobsStorage is not a connection string',
    ],
  ])('%s', (_, env, expected) => {
    const problem = thrownBy(() => readEnvironment({ ...GOOD_ENV, ...env }));
    expect(problem.code).toBe('configuration_invalid');
    expect(problem.message).toContain(expected);
    expect(problem.fix).toMatch(/^Set [A-Za-z_0-9]+ to /);
    expect(shown(problem)).not.toContain(CANARY);
  });

  it('reports all problems together', () => {
    const problem = thrownBy(() =>
      readEnvironment({ TOKEN_VAULT_URL: 'x', ROTATION_SCHEDULE: 'x', AZURE_CLIENT_ID: 'x' }),
    );
    for (const name of [
      'CREDENTIAL_VAULT_URL is not set',
      'TOKEN_VAULT_URL is not an absolute address',
      'CONNECTIONS is not set',
      'ROTATION_SCHEDULE is not an NCRONTAB',
      'AzureWebJobsStorage__accountName is not set',
      'AZURE_CLIENT_ID is not a client id',
    ]) {
      expect(problem.message).toContain(name);
      expect(problem.fix).toContain(`Set ${name.split(' ')[0]} to `);
    }
  });
});

describe('the names of the settings', () => {
  it('include each setting that is read', () => {
    const read = new Set<string>();
    const env = new Proxy<Record<string, string>>(
      { ...GOOD_ENV, REQUIRED_APP_ROLE: 'Rotate' },
      {
        get: (target, name: string) => {
          read.add(name);
          return target[name];
        },
      },
    );
    readEnvironment(env);
    expect(read.size).toBeGreaterThan(10);
    const own = [...read].filter((name) => !/_proxy$/i.test(name));
    expect(settingNames(Object.fromEntries([...read].map((name) => [name, ''])))).toEqual(own);
  });

  it('do not include what any process needs', () => {
    const needed = { PATH: '/bin', HOME: '/', TMPDIR: '/tmp', NODE_OPTIONS: '', TERM: 'x', NO_COLOR: '1' };
    const identity = { AZURE_TENANT_ID: 'x', IDENTITY_ENDPOINT: 'x', MSI_SECRET: 'x' };
    expect(withoutSettings({ ...GOOD_ENV, ...needed, ...identity })).toEqual(needed);
  });
});

it.each([
  'CREDENTIAL_VAULT_URL',
  'CONNECTIONS',
  'AzureWebJobsStorage',
  'ROTATION_SCHEDULE',
  'ALLOW_LOOPBACK_HTTP',
])('a Key Vault reference in %s that App Service did not resolve is named as such', (name) => {
  const value = '@Microsoft.KeyVault(SecretUri=https://a.vault.azure.net/secrets/x/)';
  const { message, fix } = thrownBy(() => readEnvironment({ ...GOOD_ENV, [name]: value }));
  expect(message).toContain(`${name} is a Key Vault reference that App Service has not resolved`);
  expect(fix).toContain(`set ${name} to the value itself`);
});

const UNQUOTED = {
  ...GOOD_ENV,
  CONNECTIONS: '{"connections":{}}',
  AzureWebJobsStorage:
    'DefaultEndpointsProtocol=https;AccountName=x;AccountKey=a2s=;EndpointSuffix=core.windows.net',
  ALLOWED_VAULTS: 'https://a.vault.azure.net',
  ROTATION_SCHEDULE: '*/10 * * * * *',
};

it.each(
  [
    'CREDENTIAL_VAULT_URL',
    'CONNECTIONS',
    'AzureWebJobsStorage',
    'ALLOWED_VAULTS',
    'ROTATION_SCHEDULE',
  ].flatMap((name) => [
    [name, '"', '"'],
    [name, "'", "'"],
    [name, '\u201c', '\u201d'],
  ]),
)('the value of %s in %s%s, as in an .env file, is named as such', (name = '', open, close) => {
  const value = `${open}${Reflect.get(UNQUOTED, name)}${close}`;
  expect(thrownBy(() => readEnvironment({ ...UNQUOTED, [name]: value }))).toMatchObject({
    message: `${name} has quotes around it.`,
    fix: `Remove the quotes around the value of ${name}.`,
  });
});
