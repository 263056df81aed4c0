import { describe, expect, test } from 'vitest';
import { FORMS } from '../../../lib/connectionString/forms.ts';
import { parseOdbc } from '../../../lib/connectionString/odbc.ts';
import type { ErrorCode } from '../../../lib/errors.ts';
import type { Connection } from '../../../lib/rotation/core/connection.ts';
import { rotate } from '../../../lib/rotation/rotate.ts';
import { CREDENTIAL_VAULT, TOKEN_VAULT } from './world/connection.ts';
import { failure } from './world/fakeVault.ts';
import {
  ACCESS_TOKEN,
  CLIENT_SECRET,
  due,
  expectHealthy,
  HOUR,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  type Scenario,
  seeded,
} from './world/scenario.ts';

const CONNECTION_STRING = 'crm-connection-string';
const PUT = `put ${CONNECTION_STRING}`;
const ALWAYS = Number.POSITIVE_INFINITY;
const SERVICE_URL = 'https://crm.example/api/data/v9.1/';
const fails = () => Promise.reject(failure('vault_forbidden'));

const withAccessToken: Partial<Connection> = {
  serviceUrl: SERVICE_URL,
  connectionString: { secret: CONNECTION_STRING, holds: 'accessToken', template: FORMS.accessToken },
};
const withRefreshToken: Partial<Connection> = {
  serviceUrl: SERVICE_URL,
  connectionString: { secret: CONNECTION_STRING, holds: 'refreshToken', template: FORMS.refreshToken },
};

const writes = ({ world }: Scenario) => world.operations.filter((each) => each.startsWith('put '));
const valuesIn = (text: string | undefined) =>
  Object.fromEntries(parseOdbc(text ?? '').map(({ name, value }) => [name, value]));

describe('a connection string with the access token', () => {
  test('is written after the access token, with the same times and its own content type', async () => {
    const scenario = await due(withAccessToken);
    const { world } = scenario;
    await mustRotate(scenario);
    expect(writes(scenario)).toEqual([`put ${REFRESH_TOKEN}`, `put ${ACCESS_TOKEN}`, PUT]);
    const accessToken = world.tokens.latest(ACCESS_TOKEN);
    const published = world.tokens.latest(CONNECTION_STRING);
    expect(valuesIn(published?.value)).toEqual({
      DRIVER: 'DataDirect 8.0 Microsoft Dynamics 365',
      ServiceURL: SERVICE_URL,
      AccessToken: accessToken?.value,
    });
    expect(published).toMatchObject({
      tags: accessToken?.tags,
      notBefore: accessToken?.notBefore,
      expiresAt: accessToken?.expiresAt,
      contentType: 'application/vnd.oauth.connection-string',
    });
    expect(world.events('connection_string_published')).toHaveLength(1);
    expectHealthy(scenario);
  });

  test('is not written for a connection without this setting', async () => {
    const scenario = await due();
    await mustRotate(scenario);
    expect(writes(scenario)).toEqual([`put ${REFRESH_TOKEN}`, `put ${ACCESS_TOKEN}`]);
    expect(scenario.world.events('connection_string_published')).toEqual([]);
  });

  test('for the same access token again creates no new version', async () => {
    const scenario = await due(withAccessToken);
    const { world } = scenario;
    const { value = '' } = world.tokens.latest(ACCESS_TOKEN) ?? {};
    const versions = world.tokens.history(CONNECTION_STRING).length;
    world.provider.script((request) => {
      const { refreshToken = '' } = world.provider.behave(request);
      return { refreshToken, accessToken: { ...world.provider.accessToken(), value } };
    });
    await mustRotate(scenario);
    expect(world.tokens.history(CONNECTION_STRING)).toHaveLength(versions);
  });

  test('reserves its write before the token request, in its own vault', async () => {
    const { connection, process, world } = await due(withAccessToken);
    const taken: [string, number][] = [];
    const pacer = {
      take: async (vault: string, count: number) => {
        expect(world.count(/^grant/)).toBe(0);
        taken.push([vault, count]);
      },
      giveBack: () => undefined,
    };
    await world.settle(
      rotate({ connection, force: false, patient: true }, { ...process.ports, pacer }, process.state),
    );
    expect(taken).toEqual([
      [CREDENTIAL_VAULT, 1],
      [TOKEN_VAULT, 2],
    ]);
  });
});

describe('before a refresh token is spent', () => {
  test('a secret of that name that is not managed is not overwritten, and nothing is sent', async () => {
    const { world, connection, process } = seeded(withAccessToken);
    world.tokens.set(CONNECTION_STRING, 'value-of-another-owner');
    const problem = {
      code: 'secret_not_managed',
      message: expect.stringContaining(CONNECTION_STRING),
      fix: expect.stringContaining('secrets.connectionString'),
    } as const;
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying', problem });
    expect(world.provider.sent).toEqual([]);
    expect(world.tokens.latest(CONNECTION_STRING)?.value).toBe('value-of-another-owner');
  });

  test.each([
    ['read', `get ${CONNECTION_STRING}`],
    ['written', PUT],
  ] as const)('if a name cannot be %s, nothing is sent', async (_, operation) => {
    const { world, connection, process } = seeded(withAccessToken);
    world.before(operation, fails, ALWAYS);
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'vault_forbidden' } });
    expect(world.provider.sent).toEqual([]);
  });

  test('the proof is remembered, and a name that is configured later is proven alone', async () => {
    const scenario = await due();
    const { world } = scenario;
    const asking = { ...scenario, connection: { ...scenario.connection, ...withAccessToken } };
    await mustRotate(asking);
    expect(world.count(/^put crm-access-token/)).toBe(1);
    expect(world.count(/^put crm-connection-string/)).toBe(2);
    await passToDue(scenario);
    await mustRotate(asking);
    expect(world.count(/^put crm-connection-string/)).toBe(3);
    expectHealthy(asking);
  });
});

describe('a connection string that cannot be published', () => {
  test('is tried three times', async () => {
    const scenario = await due(withAccessToken);
    scenario.world.before(PUT, fails, 2);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('stops further token requests until the vault accepts a write, and the access token is recorded', async () => {
    const scenario = await due(withAccessToken);
    const { world, connection, process } = scenario;
    world.before(PUT, fails, ALWAYS);
    const problem = { code: 'vault_forbidden' } as const;
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying', problem });
    const { phase, accessToken } = world.record('crm');
    expect(phase).toEqual({ state: 'idle' });
    // Key Vault keeps whole seconds, the record milliseconds.
    const inSeconds = (time = 0) => Math.floor(time / 1000) * 1000;
    expect(world.tokens.latest(ACCESS_TOKEN)).toMatchObject({
      notBefore: inSeconds(accessToken?.issuedAt),
      expiresAt: inSeconds(accessToken?.expiresAt),
    });
    for (let round = 2; round < 5; round++) {
      await passToDue(scenario);
      expect(await process.rotate(connection)).toMatchObject({ result: 'retrying', problem });
      expect(world.record('crm').failure?.count).toBe(round);
    }
    expect(world.count(/^grant/)).toBe(1);
    world.calm();
    await passToDue(scenario);
    await mustRotate(scenario);
    expectHealthy(scenario);
  });

  test('is not written without the lease', async () => {
    const { world, connection, process } = await due(withAccessToken);
    world.before(/^renew/, () => Promise.reject(failure('storage_unavailable')), ALWAYS);
    world.after(`put ${ACCESS_TOKEN}`, () => world.clock.freeze(16_000));
    expect(await process.rotate(connection)).toMatchObject({ result: 'in_progress' });
    expect(world.count(/^put crm-connection/)).toBe(0);
  });

  test.each<[string, Partial<Connection>, string, ErrorCode]>([
    ['it is too large', withAccessToken, 'x'.repeat(25_500), 'connection_string_too_large'],
    [
      'its syntax cannot write the token',
      {
        connectionString: {
          secret: CONNECTION_STRING,
          holds: 'accessToken',
          template: { syntax: 'jdbc', text: 'jdbc:datadirect:dynamics365:AccessToken={accessToken};' },
        },
      },
      'semi;colon-in-a-token',
      'connection_string_unwritable',
    ],
  ])('because %s blocks the connection, and both tokens are safe', async (_, changes, value, code) => {
    const { world, connection, process } = await due();
    world.provider.script((request) => {
      const { refreshToken = '' } = world.provider.behave(request);
      return { refreshToken, accessToken: { ...world.provider.accessToken(), value } };
    });
    const asking = { ...connection, ...changes };
    expect(await process.rotate(asking)).toMatchObject({ result: 'blocked', problem: { code } });
    expect(world.provider.accepts(world.credentials.latest(REFRESH_TOKEN)?.value)).toBe(true);
    expect(world.tokens.latest(ACCESS_TOKEN)?.value).toBe(value);
    await world.clock.pass(60_000);
    expect(await process.rotate(asking)).toMatchObject({ result: 'blocked' });
    expect(world.count(/^grant/)).toBe(1);
    expect(world.leaks()).toEqual([]);
    await world.clock.pass(HOUR);
    await mustRotate({ process, connection: { ...connection, fingerprint: 'repaired' } });
  });
});

describe('a connection string with the refresh token', () => {
  const reusable = { ...withRefreshToken, behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY } };

  test('is written only to the credential vault, after the refresh token is saved', async () => {
    const scenario = await due(reusable);
    const { world } = scenario;
    const rotated = 'rotated-refresh-token';
    world.provider.script((request) => ({ ...world.provider.behave(request), refreshToken: rotated }));
    await mustRotate(scenario);
    expect(writes(scenario)).toEqual([`put ${REFRESH_TOKEN}`, `put ${ACCESS_TOKEN}`, PUT]);
    expect(world.tokens.history(CONNECTION_STRING)).toEqual([]);
    const published = world.credentials.latest(CONNECTION_STRING);
    expect(valuesIn(published?.value)).toEqual({
      DRIVER: 'DataDirect 8.0 Microsoft Dynamics 365',
      ServiceURL: SERVICE_URL,
      ClientID: 'crm-client',
      ClientSecret: world.credentials.latest(CLIENT_SECRET)?.value,
      TokenURI: 'https://login.example/token',
      RefreshToken: rotated,
    });
    expect(published).not.toHaveProperty('expiresAt');
    expect(world.leaks()).toEqual([]);
  });

  test('is the only readable version: older versions hold refresh tokens that may still work', async () => {
    const scenario = await due(reusable);
    const { world } = scenario;
    for (let round = 1; round <= 3; round++) {
      world.provider.script((request) => ({
        ...world.provider.behave(request),
        refreshToken: world.provider.consent(),
      }));
      await mustRotate(scenario);
      await passToDue(scenario);
    }
    const versions = world.credentials.history(CONNECTION_STRING);
    const [latest, ...older] = versions.filter(({ value }) => value !== 'pending').toReversed();
    expect(older.map(({ enabled }) => enabled)).toEqual([false, false, false]);
    expect(latest?.enabled).not.toBe(false);
  });

  test("is published without disabling an operator's version, and even if the vault refuses to disable an old one", async () => {
    const scenario = await due({ ...reusable, overwrite: true });
    const { world } = scenario;
    const own = world.credentials.set(CONNECTION_STRING, 'of an operator');
    world.provider.script((request) => ({
      ...world.provider.behave(request),
      refreshToken: world.provider.consent(),
    }));
    await mustRotate(scenario);
    expect(world.count(/^disable crm-connection-string/)).toBe(0);
    await passToDue(scenario);
    world.before(`disable ${CONNECTION_STRING}`, fails);
    world.provider.script((request) => ({
      ...world.provider.behave(request),
      refreshToken: world.provider.consent(),
    }));
    await mustRotate(scenario);
    expect(world.log.filter(({ level }) => level === 'warn')).toMatchObject([{ secret: CONNECTION_STRING }]);
    expect(own).not.toBe(world.credentials.latest(CONNECTION_STRING)?.version);
  });

  test('keeps the sent refresh token if the response has none', async () => {
    const scenario = await due(reusable);
    const { world } = scenario;
    await mustRotate(scenario);
    const { RefreshToken } = valuesIn(world.credentials.latest(CONNECTION_STRING)?.value);
    expect(RefreshToken).toBe(world.credentials.latest(REFRESH_TOKEN)?.value);
  });

  test('holds the client secret that the provider accepted', async () => {
    const secrets = ['crm-client-secret-old', 'crm-client-secret-new'];
    const { world, connection, process } = seeded(reusable);
    const asking = { ...connection, secrets: { ...connection.secrets, clientSecrets: secrets } };
    world.credentials.set('crm-client-secret-old', 'client-secret-zero');
    world.credentials.set('crm-client-secret-new', 'client-secret-one');
    await mustRotate({ process, connection: asking });
    expect(world.count(/^grant/)).toBe(2);
    const { ClientSecret } = valuesIn(world.credentials.latest(CONNECTION_STRING)?.value);
    expect(ClientSecret).toBe('client-secret-one');
  });

  test('reserves its write in the credential vault, and none for a refresh token that was kept the last time', async () => {
    const { connection, world, ...scenario } = await due(reusable);
    const reserved = async (process: typeof scenario.process) => {
      const taken: [string, number][] = [];
      const take = async (vault: string, count: number) => void taken.push([vault, count]);
      const ports = { ...process.ports, pacer: { take, giveBack: () => undefined } };
      await world.settle(rotate({ connection, force: true, patient: true }, ports, process.state));
      return taken;
    };
    expect(await reserved(world.process())).toEqual([
      [CREDENTIAL_VAULT, 2],
      [TOKEN_VAULT, 1],
    ]);
    expect(await reserved(scenario.process)).toEqual([
      [TOKEN_VAULT, 1],
      [CREDENTIAL_VAULT, 1],
    ]);
  });
});
