import { readFile } from 'node:fs/promises';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { BrowserUser } from '../integration/authorization/support.ts';
import { type Desk, documentOf, type Running, type RunOptions, STRICT, startDesk } from './support.ts';

const ADDRESS = /http:\S+\/auth\?\S+/;

let desk: Desk;

beforeAll(async () => {
  desk = await startDesk();
});

afterAll(() => desk?.close());

const argumentsOf = (name: string) => ['connect', name, '--no-browser', '--json'];

function connect(name: string, more: readonly string[] = [], options?: RunOptions): Running {
  return desk.rotator([...argumentsOf(name), ...more], options);
}

/** Visits the printed address as the user would. */
async function signIn(running: Running, answer: 'allow' | 'deny' = 'allow') {
  await new BrowserUser().visit((await running.seen(ADDRESS))[0], answer);
  return running.ended;
}

async function stored(name: string) {
  const names = ['client-id', 'client-secret', 'refresh-token'].map((purpose) => `${name}-${purpose}`);
  return Promise.all(names.map(async (each) => (await desk.secret('credentialVault', each))?.value));
}

const writes = () =>
  desk.stack.servers.credentialVault.requests.filter(({ method }) => method === 'PUT').length;

describe('rotator connect', { timeout: 120_000 }, () => {
  test('stores the secrets, rotates, adds the entry and shows no secret for a new connection', async () => {
    const ended = await signIn(desk.start(argumentsOf('fresh')));
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(documentOf(ended)).toMatchObject({ rotation: { result: 'rotated', generation: 1 } });
    expect(ended.stderr.match(/Do not give it credentials of a production system/g)).toHaveLength(1);
    const [clientId, clientSecret, refreshToken] = await stored('fresh');
    expect(clientId).toBe('rotator-cli');
    expect(clientSecret).toBe(
      desk.stack.servers.clients.find((each) => each.clientId === clientId)?.clientSecret,
    );
    expect(desk.stack.servers.authorization.issuedValues()).toContain(refreshToken);
    const file = JSON.parse(await readFile(desk.stack.data.file('connections.json'), 'utf8'));
    expect(file.connections.fresh).toMatchObject({
      tokenUri: desk.stack.servers.authorization.tokenEndpoint,
      scope: 'openid offline_access',
    });
    expect(file.connections.strict).toBeDefined();
    for (const secret of desk.secrets()) expect(ended.stdout + ended.stderr).not.toContain(secret);
  });

  test('needs no sign-in for a client that acts for itself, which no other command mistakes', async () => {
    const ended = await connect('own', ['--grant', 'client_credentials']).ended;
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(ended.stderr).not.toMatch(ADDRESS);
    expect(documentOf(ended)).toMatchObject({
      rotation: { result: 'rotated' },
      entry: { own: { grant: 'client_credentials' } },
    });
    expect(await stored('own')).toEqual(['rotator-cli', expect.any(String), undefined]);
    const run = async (...args: string[]) =>
      desk.rotator([...args, '--json'], { input: '{"refresh_token":"x"}' }).ended;
    expect(documentOf(await run('import', 'own'))).toMatchObject({
      error: { code: 'command_invalid', fix: 'Run rotator connect own, or remove grant from its entry.' },
    });
    expect(documentOf(await run('render', 'own'))).toMatchObject({
      error: { code: 'connection_string_unwritable', fix: 'Add --form accessToken.' },
    });
    const status = documentOf(await run('status', 'own'));
    expect(JSON.stringify(status)).not.toMatch(/refresh/i);
    const doctor = JSON.stringify(documentOf(await run('doctor', 'own')));
    expect(doctor).toContain('The grant has no refresh token');
    expect(doctor).not.toContain('own-refresh-token');
    expect(JSON.stringify(documentOf(await run('plan', 'own')))).toContain('not_due');
  });

  test('a new consent for a configured connection uses its client and keeps its entry', async () => {
    await signIn(connect('again'));
    const before = await readFile(desk.stack.data.file('connections.json'), 'utf8');
    await desk.secret('credentialVault', 'again-refresh-token', {
      value: 'dead',
      tags: { connection: 'again' },
    });
    const dead = await desk.rotator(['rotate', 'again', '--force', '--json']).ended;
    expect(dead.code).toBe(4);
    expect(documentOf(dead)).toMatchObject({ problem: { code: 'reauthorization_required' } });
    const ended = await signIn(connect('again'));
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(documentOf(ended)).not.toHaveProperty('entry');
    expect(await readFile(desk.stack.data.file('connections.json'), 'utf8')).toBe(before);
  });

  test.each([
    ['in a browser', []],
    ['with a code', ['--device']],
  ])(
    'signs in again %s for a connection that npm start made, whose entry names no scope',
    async (_, more) => {
      const running = connect(STRICT.name, ['--replace', ...more]);
      const user = new BrowserUser();
      if (more.length === 0) await user.visit((await running.seen(ADDRESS))[0]);
      else {
        const [, page = '', code = ''] = await running.seen(/Go to (\S+) on.*enter the code (\S+)/);
        await user.enter(page, code);
      }
      const ended = await running.ended;
      expect(ended, ended.stderr).toMatchObject({ code: 0 });
      expect(documentOf(ended)).toMatchObject({
        rotation: { result: expect.stringMatching(/rotated|not_due/) },
      });
    },
  );

  /** The local authorization server, under the profile of a provider. */
  const asProvider = (id: string) => [
    ...['--provider', id, '--token-uri', desk.stack.servers.authorization.tokenEndpoint],
    ...['--client-authentication', 'client_secret_basic'],
  ];

  test('adds the scopes and the prompt without which the provider of the profile issues no refresh token', async () => {
    const running = connect('scopes', [...asProvider('auth0'), '--scope', 'openid']);
    const { searchParams } = new URL((await running.seen(ADDRESS))[0]);
    expect(searchParams.get('scope')).toBe('openid offline_access');
    expect(searchParams.get('prompt')).toBe('consent');
    expect(searchParams.get('code_challenge_method')).toBe('S256');
    expect((await signIn(running)).code).toBe(0);
  });

  test('repeats the redirect URI in token requests if the profile says so', async () => {
    const running = connect('repeats', [...asProvider('gitlab'), '--scope', 'openid offline_access']);
    const redirectUri = new URL((await running.seen(ADDRESS))[0]).searchParams.get('redirect_uri');
    const ended = await signIn(running);
    expect(documentOf(ended)).toMatchObject({
      rotation: { result: 'rotated' },
      entry: { repeats: { provider: 'gitlab', parameters: { redirect_uri: redirectUri } } },
    });
  });

  test('refuses a sign-in that cannot return to this machine, unless the user names an address that it can', async () => {
    const refused = await connect('ebay', ['--provider', 'ebay']).ended;
    expect(refused.code).toBe(2);
    expect(documentOf(refused)).toMatchObject({
      error: {
        code: 'command_invalid',
        message: expect.stringContaining('could not return to this machine. eBay returns to a RuName'),
        fix: expect.stringContaining('run rotator import ebay FILE'),
      },
    });
    const more = ['--redirect-uri', 'http://127.0.0.1/callback', '--scope', 'openid offline_access'];
    expect((await signIn(connect('ebay', [...asProvider('ebay'), ...more]))).code).toBe(0);
  });

  test('keeps the additional parameters that token requests need as well', async () => {
    const redirect = ['--redirect-uri', 'http://127.0.0.1/callback'];
    const more = [
      ...redirect,
      '--scope',
      'openid offline_access',
      '--parameter',
      'client_key=abc',
      'other=x',
    ];
    const ended = await signIn(connect('needs', [...asProvider('tiktok'), ...more]));
    expect(documentOf(ended)).toMatchObject({ entry: { needs: { parameters: { client_key: 'abc' } } } });
    expect(JSON.stringify(documentOf(ended).entry)).not.toContain('other');
  });

  test('a denied consent writes nothing', async () => {
    const before = writes();
    const ended = await signIn(connect('nothing'), 'deny');
    expect(ended.code).toBe(6);
    expect(documentOf(ended)).toMatchObject({ error: { code: 'authorization_denied' } });
    expect(await stored('nothing')).toEqual([undefined, undefined, undefined]);
    expect(writes()).toBe(before);
  });

  test('a wrong state neither writes anything nor ends the sign-in', async () => {
    const running = connect('nothing');
    const address = new URL((await running.seen(ADDRESS))[0]);
    const page = await fetch(`${address.searchParams.get('redirect_uri')}?code=stolen&state=guessed`);
    expect(page.status).toBe(400);
    const ended = await signIn(running, 'deny');
    expect(documentOf(ended)).toMatchObject({ error: { code: 'authorization_denied' } });
    expect(await stored('nothing')).toEqual([undefined, undefined, undefined]);
  });

  test('waits for a closed browser as long as --timeout says, and writes nothing', async () => {
    const ended = await connect('nothing', ['--timeout', '1']).ended;
    expect(ended.code).toBe(6);
    expect(documentOf(ended)).toMatchObject({ error: { code: 'authorization_expired' } });
    expect(await stored('nothing')).toEqual([undefined, undefined, undefined]);
  });

  test('Ctrl-C while the browser is open writes nothing', async () => {
    const running = desk.start(argumentsOf('nothing'));
    await running.seen(ADDRESS);
    running.child.kill('SIGINT');
    const ended = await running.ended;
    expect(ended.code).toBe(130);
    expect(documentOf(ended)).toMatchObject({ error: { code: 'interrupted' } });
    expect(await stored('nothing')).toEqual([undefined, undefined, undefined]);
  });

  test('names the missing scope and writes nothing if the response has no refresh token', async () => {
    const ended = await signIn(connect('nothing', ['--scope', 'openid']));
    expect(ended.code).toBe(6);
    expect(documentOf(ended)).toMatchObject({
      error: { code: 'refresh_token_not_issued', fix: expect.stringContaining('offline_access') },
    });
    expect(await stored('nothing')).toEqual([undefined, undefined, undefined]);
  });

  test('an expired device code writes nothing', async () => {
    desk.stack.servers.authorization.intercept(({ grantType }) =>
      grantType?.endsWith('device_code')
        ? { action: 'answer', answer: { status: 400, body: { error: 'expired_token' } } }
        : undefined,
    );
    const ended = await connect('nothing', ['--device']).ended;
    desk.stack.servers.authorization.intercept(undefined);
    expect(ended.code).toBe(6);
    expect(documentOf(ended)).toMatchObject({ error: { code: 'authorization_expired' } });
    expect(await stored('nothing')).toEqual([undefined, undefined, undefined]);
  });

  test('reports a wrong client secret from stdin', async () => {
    const running = connect('nothing', ['--client-secret-stdin'], { input: 'wrong-secret\n' });
    const ended = await signIn(running);
    expect(ended.code).toBe(4);
    expect(documentOf(ended)).toMatchObject({ error: { code: 'client_rejected' } });
    expect(await stored('nothing')).toEqual([undefined, undefined, undefined]);
  });

  test('refuses to overwrite an unmanaged secret before the sign-in, and overwrites it with --replace', async () => {
    await desk.secret('credentialVault', 'taken-refresh-token', { value: 'of another process' });
    const before = writes();
    const ended = await connect('taken').ended;
    expect(ended.code).toBe(7);
    expect(documentOf(ended)).toMatchObject({
      error: { code: 'secret_not_managed', message: expect.stringContaining('taken-refresh-token') },
    });
    expect(writes()).toBe(before);
    const replaced = await signIn(connect('taken', ['--replace']));
    expect(replaced, replaced.stderr).toMatchObject({ code: 0 });
  });

  test('undoes what it wrote if the vault refuses the refresh token', async () => {
    desk.stack.servers.credentialVault.intercept(({ operation, secretName }) =>
      operation === 'setSecret' && secretName === 'undone-refresh-token'
        ? { kind: 'answerInstead', answer: { status: 403, body: { error: { code: 'Forbidden' } } } }
        : undefined,
    );
    const ended = await signIn(connect('undone'));
    desk.stack.servers.credentialVault.intercept(undefined);
    expect(ended.code).toBe(4);
    expect(documentOf(ended)).toMatchObject({ error: { code: 'vault_forbidden' } });
    expect(await stored('undone')).toEqual([undefined, undefined, undefined]);
    const file = JSON.parse(await readFile(desk.stack.data.file('connections.json'), 'utf8'));
    expect(file.connections).not.toHaveProperty('undone');
  });

  test('Ctrl-C in the middle of the writes lets them finish', async () => {
    const reached = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    desk.stack.servers.credentialVault.intercept(async ({ operation, secretName }) => {
      if (operation !== 'setSecret' || secretName !== 'stopped-client-secret') return undefined;
      reached.resolve();
      await goOn.promise;
      return undefined;
    });
    const running = desk.start(argumentsOf('stopped'));
    await new BrowserUser().visit((await running.seen(ADDRESS))[0]);
    await reached.promise;
    running.child.kill('SIGINT');
    running.child.kill('SIGINT');
    goOn.resolve();
    const ended = await running.ended;
    desk.stack.servers.credentialVault.intercept(undefined);
    expect(documentOf(ended)).toMatchObject({ rotation: { result: 'rotated' } });
    expect(await stored('stopped')).not.toContain(undefined);
  });

  test('refuses a name that differs only in case from another name, before the sign-in', async () => {
    const ended = await connect(STRICT.name.toUpperCase()).ended;
    expect(ended.code).toBe(3);
    expect(documentOf(ended)).toMatchObject({ error: { fix: expect.stringContaining('Write strict') } });
  });

  test.each([
    [['a b'], 'connection_invalid', 'Choose another name.'],
    [['new', '--token-uri', 'http://login.example/token'], 'configuration_invalid', 'Set --token-uri to'],
    [
      ['new', '--token-uri', 'x', '--authorization-endpoint', 'https://a'],
      'configuration_invalid',
      '--token-uri',
    ],
  ] as const)('says what to correct in %j', async ([name = '', ...more], code, fix) => {
    const ended = await connect(name, more).ended;
    expect(ended.code).toBe(3);
    expect(documentOf(ended)).toMatchObject({ error: { code, fix: expect.stringContaining(fix) } });
  });

  test('refuses the options of a new connection for a connection that has an entry', async () => {
    const ended = await connect(STRICT.name, ['--token-uri', 'https://login.example/token']).ended;
    expect(ended.code).toBe(2);
    expect(documentOf(ended)).toMatchObject({
      error: { message: expect.stringContaining('is already in the connections file') },
    });
  });

  test('names the missing credential and its option if there is no terminal', async () => {
    const ended = await connect('nothing', ['--client-id', 'another-client']).ended;
    expect(ended.code).toBe(2);
    expect(documentOf(ended)).toMatchObject({
      error: { fix: expect.stringContaining('--client-secret-stdin') },
    });
  });
});
