import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { localConnection } from '../support/localConnection.ts';
import { type Desk, documentOf, startDesk } from './support.ts';

/** Its connections are in no file: the tests import them. */
const CLIENTS = ['crm', 'ini', 'semicolon', 'jdbc', 'postman', 'answer', 'refused', 'again'].map((name) =>
  localConnection(`client-${name}`),
);
/** Contains `=`, `/`, `//` and `+`, as in the driver's documentation. Made at run time, because it looks like a real secret. */
const SECRET = ['12a3=b', 'CD/EfGh', '4Ijk+Lm5', 'P67s=//', 'TuV+WXy1'].join('');
const SERVICE = 'https://mywebinstance.api.crm.dynamics.com/api/data/v9.1/';

let desk: Desk;

beforeAll(async () => {
  desk = await startDesk(CLIENTS);
  const { authorization } = desk.stack.servers;
  for (const { name } of CLIENTS) authorization.setClientSecret(name, SECRET);
  await writeFile(desk.stack.data.file('connections.json'), '{"connections":{}}');
});

afterAll(() => desk?.close());

async function attributes(client: string, refreshToken?: string) {
  const { authorization } = desk.stack.servers;
  return {
    DRIVER: 'DataDirect 8.0 Microsoft Dynamics 365',
    ServiceURL: SERVICE,
    ClientID: `client-${client}`,
    ClientSecret: SECRET,
    TokenURI: authorization.tokenEndpoint,
    RefreshToken: refreshToken ?? (await authorization.seedRefreshToken(`client-${client}`)),
  };
}

function odbc(all: Record<string, string>): string {
  return Object.entries(all)
    .map(([name, value]) => `${name}=${value};`)
    .join('');
}

const argumentsOf = (name: string, more: readonly string[] = []) => ['import', name, '--json', ...more];

function bring(name: string, input: string, more: readonly string[] = []) {
  return desk.rotator(argumentsOf(name, more), { input }).ended;
}

const latest = async (name: string) => (await desk.secret('credentialVault', name))?.value ?? '';

describe('rotator import and render', { timeout: 120_000 }, () => {
  test("imports and renders the driver's example string unchanged, except for a newer refresh token", async () => {
    const given = await attributes('crm');
    // The documentation splits the string into lines.
    const input = odbc(given).replaceAll(';', ';\n');
    const imported = await desk.start(argumentsOf('crm'), { input }).ended;
    expect(imported, imported.stdout).toMatchObject({ code: 0 });
    expect(documentOf(imported)).toMatchObject({ rotation: { result: 'rotated', generation: 1 } });
    expect(imported.stderr.match(/Do not give it credentials of a production system/g)).toHaveLength(1);
    const shown = await desk.start(['render', 'crm', '--reveal'], { reveals: true }).ended;
    const newer = await latest('crm-refresh-token');
    expect(newer).not.toBe(given.RefreshToken);
    // Compared here and not by expect, which would print a difference.
    expect(shown.stdout === `${odbc({ ...given, RefreshToken: newer })}\n`).toBe(true);
    expect(shown.stderr).toContain('works once');
  });

  test('render shows no secret unless --reveal, in either form', async () => {
    const { stdout } = await desk.rotator(['render', 'crm']).ended;
    expect(stdout).toBe(`${odbc({ ...(await attributes('crm', '***')), ClientSecret: '***' })}\n`);
    const { stdout: access } = await desk.rotator(['render', 'crm', '--form', 'accessToken', '--json']).ended;
    expect(JSON.parse(access)).toEqual({
      connection: 'crm',
      holds: 'accessToken',
      connectionString: `DRIVER=DataDirect 8.0 Microsoft Dynamics 365;ServiceURL=${SERVICE};AccessToken=***;`,
    });
    expect((await desk.rotator(['render', 'nix']).ended).code).toBe(3);
    const { stderr } = await desk.rotator(['render', 'CRM']).ended;
    expect(stderr).toContain('Write crm: names are case-sensitive.');
  });

  test('render accepts as an access token only what the rotator published', async () => {
    const secret = { value: 'of-another-process' };
    await desk.secret('tokenVault', 'crm-access-token', secret);
    const args = ['render', 'crm', '--form', 'accessToken', '--reveal'];
    const foreign = await desk.rotator(args).ended;
    expect(foreign).toMatchObject({ stdout: '' });
    expect(foreign.code).not.toBe(0);
    expect(foreign.stderr).toContain('secret_not_managed');
    await desk.secret('tokenVault', 'crm-access-token', {
      value: 'pending',
      attributes: { enabled: false },
    });
    const placeholder = await desk.rotator(args).ended;
    expect(placeholder).toMatchObject({ stdout: '' });
    expect(placeholder.stderr).toMatch(
      /secret_missing: The rotator has not published.*\n {2}Run rotator status crm\./,
    );
  });

  test('imports a section of odbc.ini from a file', async () => {
    const given = await attributes('ini');
    const lines = Object.entries({ ...given, TokenURI: `POST ${given.TokenURI}`, LogonDomain: 'x' });
    const file = join(desk.stack.data.path, 'odbc.ini');
    const text = `[ODBC Data Sources]\nCRM=DataDirect\n\n[crm]\n${lines.map(([name, value]) => `${name}=${value}`).join('\n')}\nRefreshToken=second\n[Other]\nUser\nhost[0]=x\nRefreshToken=other\n[CRM]\nRefreshToken=third\n`;
    await writeFile(file, text);
    const several = await desk.rotator(['import', 'ini', file]).ended;
    expect(several).toMatchObject({ code: 3 });
    expect(several.stderr).toContain('--section to one of: ODBC Data Sources, crm, Other');
    const ended = await desk.rotator(['import', 'ini', file, '--section', 'CRM']).ended;
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    expect(ended.stderr).toContain('the rotator does not use them: 1 other attributes of the text.');
    expect(ended.stderr).not.toContain('LogonDomain');
    expect(ended.stderr).toContain(
      'has the section crm and RefreshToken more than once. Only the first counts',
    );
    expect(ended.stdout).toContain('ini is rotated: generation 1');
  });

  test('imports a connection string that begins with a ";", and names what an odbc.ini lacks', async () => {
    const given = await attributes('semicolon');
    const ended = await bring('semicolon', `;${odbc(given)}`);
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    const bare = await bring('bare', `# only a comment`);
    expect(bare).toMatchObject({ code: 3 });
    expect(documentOf(bare).error).toMatchObject({ message: 'The input has no section in brackets.' });
  });

  test('imports a JDBC URL', async () => {
    const { DRIVER: _none, ...given } = await attributes('jdbc');
    const ended = await bring('jdbc', `jdbc:datadirect:dynamics365:${odbc(given)}`);
    expect(ended, ended.stdout).toMatchObject({ code: 0 });
  });

  test("imports Postman's settings, and a token response with its missing values as options", async () => {
    const given = await attributes('postman');
    const postman = {
      auth: {
        type: 'oauth2',
        oauth2: [
          { key: 'clientId', value: given.ClientID },
          { key: 'clientSecret', value: given.ClientSecret },
          { key: 'accessTokenUrl', value: given.TokenURI },
          { key: 'refresh_token', value: given.RefreshToken },
          { key: 'grant_type', value: 'authorization_code' },
        ],
      },
    };
    expect(await bring('postman', JSON.stringify(postman))).toMatchObject({ code: 0 });
    const { RefreshToken: refresh_token, TokenURI } = await attributes('answer');
    const answer = JSON.stringify({
      access_token: 'unused',
      expires_in: 30,
      token_type: 'Bearer',
      refresh_token,
    });
    const file = join(desk.stack.data.path, 'answer.json');
    await writeFile(file, answer);
    const more = ['--token-uri', TokenURI, '--client-id', 'client-answer', '--client-secret-stdin'];
    const ended = await desk.rotator(['import', 'answer', file, ...more], { input: SECRET }).ended;
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
  });

  test.each([
    ['a connection string', 'DRIVER=x;ServiceURL={https://x;TokenURI=y;', 'at character 21'],
    ['a JDBC URL', 'jdbc:datadirect:dynamics365:ServiceURL', 'at character'],
    ['an odbc.ini', '[CRM]\nServiceURL\n', 'has no refresh token'],
    ['JSON', '{\n  "refresh_token": x\n}', 'character 22 (line 2, column 20)'],
    ['nothing', '', 'is empty'],
    ['a text without a refresh token', 'DRIVER=x;ServiceURL=https://x.example/;', 'has no refresh token'],
  ])('names the character and writes nothing if it cannot read %s', async (_, input, text) => {
    const before = desk.stack.servers.credentialVault.requests.length;
    const ended = await bring('unreadable', input);
    expect(ended.code).toBe(3);
    expect(documentOf(ended)).toMatchObject({ error: { message: expect.stringContaining(text) } });
    expect(desk.stack.servers.credentialVault.requests.length).toBe(before);
  });

  test.each([
    ['a blank refresh token', { refresh_token: '   ' }, [], 'The refresh token is blank'],
    ['a NUL in a refresh token', { refresh_token: 'a\0b' }, [], 'The refresh token contains a line break'],
    [
      'two refresh tokens',
      { before: { refresh_token: 'a' }, after: { refresh_token: 'b' } },
      [],
      'has several values of refresh_token',
    ],
    [
      'two refresh tokens in a list',
      [{ refresh_token: 'a' }, { refresh_token: 'b' }],
      [],
      'has several values of refresh_token',
    ],
    ['an empty client id', { refresh_token: 'a' }, ['--client-id', ''], 'The client id is blank'],
    [
      'a line break in a client id',
      { refresh_token: 'a' },
      ['--client-id', 'a\nb'],
      'The client id contains',
    ],
  ])(
    'refuses %s before it writes anything, also for a connection that works',
    async (_, json, more, text) => {
      const before = desk.stack.servers.credentialVault.requests.filter(
        ({ method }) => method === 'PUT',
      ).length;
      const ended = await bring('crm', JSON.stringify(json), more);
      expect(ended.code).toBe(3);
      expect(documentOf(ended)).toMatchObject({
        error: { code: 'input_unreadable', message: expect.stringContaining(text) },
      });
      const after = desk.stack.servers.credentialVault.requests.filter(
        ({ method }) => method === 'PUT',
      ).length;
      expect(after).toBe(before);
    },
  );

  test.each([
    ['double quotes', (text: string) => `"${text}"`],
    ['single quotes and a line end', (text: string) => `'${text}'\r\n`],
    ['typographic quotes', (text: string) => `\u201c${text}\u201d`],
    ['an .env file', (text: string) => `CONNECTION="${text}"\n`],
    ['a script', (text: string) => `export CONNECTION='${text.slice(0, -1)}'\n`],
    ['a program', (text: string) => `connection = f"${text.slice(0, -1)}"`],
    ['one value in quotes', (text: string) => text.replace(/RefreshToken=(.*);/, 'RefreshToken="$1";')],
    ['a zero-width space', (text: string) => text.replace('RefreshToken=', 'RefreshToken=\u200b')],
    ['UTF-16', (text: string) => `\ufffd\ufffd${[...text].join('\0')}\0`],
  ])('writes and sends nothing if the text is as in %s', async (_, spoil) => {
    const { servers } = desk.stack;
    const requests = () => [
      servers.credentialVault.requests.length,
      servers.authorization.tokenRequests.length,
    ];
    const text = odbc(await attributes('crm'));
    const before = requests();
    const ended = await bring('crm', spoil(text), ['--replace']);
    expect(ended.code, ended.stdout).toBe(3);
    expect(documentOf(ended)).toMatchObject({ error: { code: expect.stringMatching(/_unreadable$/) } });
    expect(requests()).toEqual(before);
  });

  test('replaces a connection that works only with --replace, and never by an older refresh token', async () => {
    const current = await latest('jdbc-refresh-token');
    const given = odbc(await attributes('jdbc'));
    const refused = await bring('jdbc', given);
    expect(refused.code).toBe(7);
    expect(documentOf(refused)).toMatchObject({
      error: { code: 'connection_works', message: expect.stringContaining('jdbc works: its last rotation') },
    });
    expect((await latest('jdbc-refresh-token')) === current).toBe(true);
    const replaced = await bring('jdbc', given, ['--replace']);
    expect(replaced, replaced.stdout).toMatchObject({ code: 0 });
    const again = await bring('jdbc', given, ['--replace']);
    expect(again.code).toBe(3);
    expect(documentOf(again)).toMatchObject({ error: { code: 'refresh_token_old' } });
  });

  test('drops a line break after a refresh token, and succeeds after an earlier failure', async () => {
    const { RefreshToken, TokenURI } = await attributes('again');
    const text = JSON.stringify({ refresh_token: `${RefreshToken}\r\n` });
    const more = ['--token-uri', TokenURI, '--client-id', 'client-again'];
    const env = { ROTATOR_CLIENT_SECRET: SECRET };
    const attempt = (args: readonly string[]) =>
      desk.rotator(['import', 'again', '--json', ...args], { input: text, env }).ended;
    desk.stack.servers.credentialVault.intercept(({ operation, secretName }) =>
      operation === 'setSecret' && secretName === 'again-refresh-token'
        ? { kind: 'answerInstead', answer: { status: 403, body: { error: { code: 'Forbidden' } } } }
        : undefined,
    );
    expect(documentOf(await attempt(more))).toMatchObject({ error: { code: 'vault_forbidden' } });
    desk.stack.servers.credentialVault.intercept(undefined);
    // Without a client id the local stack's own applies, and not the one that was undone.
    const own = await attempt(more.slice(0, 2));
    expect(documentOf(own)).not.toMatchObject({ error: { code: 'secret_disabled' } });
    expect(await latest('again-client-id')).toBe('rotator-cli');
    const ended = await attempt([]);
    expect(await latest('again-refresh-token')).toBe(RefreshToken);
    expect(ended.code).toBe(4);
  });

  test('stores a token that the provider refuses, and reports that an operator must act', async () => {
    const ended = await bring('refused', odbc(await attributes('refused', 'not-a-token-of-this-server')));
    expect(ended.code).toBe(4);
    expect(documentOf(ended)).toMatchObject({ rotation: { problem: { code: 'reauthorization_required' } } });
  });

  test('refuses a string of another token endpoint for a configured connection', async () => {
    const other = { ...(await attributes('crm')), TokenURI: 'https://login.example/token' };
    const ended = await bring('crm', odbc(other));
    expect(ended.code).toBe(3);
    expect(documentOf(ended)).toMatchObject({
      error: { message: expect.stringContaining('another token endpoint') },
    });
  });
});
