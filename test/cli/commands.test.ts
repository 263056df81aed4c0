import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { BlobServiceClient } from '@azure/storage-blob';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import schema from '../../connections.schema.json' with { type: 'json' };
import { blobNameOf } from '../../lib/azure/recordBlob.ts';
import packageFile from '../../package.json' with { type: 'json' };
import { type Desk, documentOf, run, STRICT, startDesk } from './support.ts';

let desk: Desk;

beforeAll(async () => {
  // The token does not become due again, even if this machine is busy.
  desk = await startDesk([STRICT, { ...STRICT, name: 'other' }], undefined, 3600);
});

afterAll(() => desk?.close());

describe('with a running local stack', { timeout: 120_000 }, () => {
  test('only its owner can read the state file', async () => {
    expect((await stat(desk.stateFile)).mode & 0o777).toBe(0o600);
  });

  test('plan, rotate --due and status show the same connections', async () => {
    expect(documentOf(await desk.start(['plan', '--json']).ended)).toMatchObject({
      planned: [
        { connection: 'strict', action: 'reconcile' },
        { connection: 'other', action: 'reconcile' },
      ],
    });
    const swept = await desk.rotator(['rotate', '--due', '--json']).ended;
    expect(swept.code).toBe(0);
    expect(documentOf(swept)).toMatchObject({ due: 2, results: { rotated: 2 } });
    expect(documentOf(await desk.rotator(['status', 'strict', '--json']).ended)).toMatchObject({
      connections: [{ name: 'strict', state: 'fresh', generation: 1 }],
    });
    const { stdout } = await desk.rotator(['status']).ended;
    expect(stdout).toMatch(/^NAME +STATE +TOKEN LEFT/);
    expect(stdout).toMatch(/\nother +fresh +(59 min \d+ s|1 h) +1 +\d+ s ago +in \d+ (d|h|min|s)/);
    expect(stdout).not.toContain('\u001b');
  });

  test('history shows the outcomes of a connection, and plan NAME only that connection', async () => {
    const history = [{ result: 'rotated', at: expect.stringMatching(/^20.*:\d\d\.000Z$/) }];
    expect(JSON.parse((await desk.rotator(['history', 'strict', '--json']).ended).stdout)).toEqual({
      connection: 'strict',
      history,
    });
    const { stdout } = await desk.rotator(['history', 'strict']).ended;
    expect(stdout).toMatch(/^TIME +RESULT +ERROR CODE\n20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ {2}rotated\n$/);
    expect(documentOf(await desk.rotator(['plan', 'strict', '--json']).ended)).toMatchObject({
      planned: [{ connection: 'strict', action: 'skip', reason: 'not_due' }],
    });
    expect((await desk.rotator(['plan', 'nix']).ended).code).toBe(3);
  });

  test('status lists the connections with a record, and says why, if the connections file cannot be read', async () => {
    const file = join(desk.stack.data.path, 'broken.json');
    await writeFile(file, '{"connections": {');
    const status = ['status', '--connections', file];
    const { code, stdout } = await desk.rotator(status).ended;
    expect(code).toBe(3);
    expect(stdout).toMatch(/\nother +fresh/);
    expect(stdout).toMatch(/\nstrict +fresh/);
    expect(stdout).toContain('configuration_invalid: The text of the connections is not valid JSON (line 1');
    expect(documentOf(await desk.rotator([...status, '--json']).ended)).toMatchObject({
      connections: [{ name: 'other' }, { name: 'strict' }],
      configuration: { code: 'configuration_invalid' },
    });
    expect((await desk.rotator([...status, 'strict']).ended).stdout).toMatch(/\nstrict +fresh/);
  });

  test('rotate NAME reports not due, forced, rotated by the functions, and forced too soon', async () => {
    const plain = await desk.rotator(['rotate', 'strict', '--json']).ended;
    expect(plain.code).toBe(0);
    expect(documentOf(plain)).toMatchObject({ result: 'not_due' });
    const via = await desk.rotator(['rotate', 'other', '--force', '--json', '--via', desk.stack.host.url])
      .ended;
    expect(via, via.stderr).toMatchObject({ code: 0 });
    expect(documentOf(via)).toMatchObject({ result: 'rotated', connection: 'other', generation: 2 });
    const again = await desk.rotator(['rotate', 'other', '--force', '--json', '--via', desk.stack.host.url])
      .ended;
    expect(again.code).toBe(5);
    expect(documentOf(again)).toMatchObject({ result: 'cooldown' });
    const due = await desk.rotator(['rotate', '--due', '--json', '--via', desk.stack.host.url]).ended;
    expect(documentOf(due)).toMatchObject({ connections: 2 });
  });

  test('reports a rotation that another process runs', async () => {
    const { connectionString } = desk.stack.servers.storage;
    const service = BlobServiceClient.fromConnectionString(connectionString);
    const container = service.getContainerClient('token-rotator-records');
    const lease = container.getBlobClient(blobNameOf('strict')).getBlobLeaseClient();
    await lease.acquireLease(60);
    expect(documentOf(await desk.rotator(['plan', 'strict', '--json']).ended)).toMatchObject({
      planned: [{ action: 'wait', reason: 'in_progress' }],
    });
    const refused = await desk.rotator(['rotate', 'strict', '--force', '--json']).ended;
    // The server closes an idle connection after 5 s. If the command took longer, the first request finds that out.
    await lease.releaseLease().catch(() => lease.releaseLease());
    expect(refused.code).toBe(5);
    expect(documentOf(refused)).toMatchObject({ result: 'in_progress' });
  });

  test('saves the token if Ctrl-C comes while a token request is in flight, and the pipe of the log is closed', async () => {
    const arrived = Promise.withResolvers<void>();
    const released = Promise.withResolvers<void>();
    desk.stack.servers.authorization.intercept(async () => {
      arrived.resolve();
      await released.promise;
      return undefined;
    });
    const holding = desk.start(['rotate', 'strict', '--force', '--json', '--verbose']);
    holding.child.stderr?.destroy();
    await Promise.race([arrived.promise, holding.ended]);
    holding.child.kill('SIGINT');
    released.resolve();
    const ended = await holding.ended;
    desk.stack.servers.authorization.intercept(undefined);
    expect(documentOf(ended)).toMatchObject({ result: 'rotated', generation: 2 });
    expect(ended.code).toBe(0);
  });

  test('status --watch ends if the reader of its output closes the pipe', async () => {
    const running = desk.start(['status', '--watch', '--json']);
    await once(running.child.stdout ?? running.child, 'data');
    running.child.stdout?.destroy();
    expect(await running.ended).toMatchObject({ code: 0, stderr: '' });
  });

  test('ignores settings of the shell with the local stack', async () => {
    const env = {
      VAULT_WRITES_PER_10_SECONDS: 'abc',
      AzureWebJobsStorage__credential: 'x',
      AZURE_CLIENT_ID: 'x',
    };
    const ended = await desk.rotator(['status', 'strict'], { env }).ended;
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
  });

  test('connect names the options that it refuses for a connection with an entry', async () => {
    const options = ['--token-uri', 'https://login.example/token', '--client-authentication', 'none'];
    const ended = await desk.rotator(['connect', 'strict', ...options]).ended;
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toContain('Remove --token-uri and --client-authentication from the command,');
  });

  test('does not render a connection string without a service', async () => {
    const ended = await desk.rotator(['render', 'strict']).ended;
    expect(ended).toMatchObject({ code: 3, stdout: '' });
    expect(ended.stderr).toContain('Set connections.strict.serviceUrl');
  });

  test('rejects the name of a connection that does not exist', async () => {
    const ended = await desk.rotator(['status', 'nix']).ended;
    expect(ended).toMatchObject({ code: 3, stdout: '' });
    expect(ended.stderr).toContain('connection_unknown: There is no connection named nix.');
  });

  test('status has an exit code for scripts: 3 for an invalid entry', async () => {
    const file = join(desk.stack.data.path, 'one-invalid.json');
    await writeFile(file, '{"connections":{"wrong":{}}}');
    const ended = await desk.rotator(['status', '--connections', file]).ended;
    expect(ended.code).toBe(3);
    expect(ended.stdout).toContain('wrong: connection_invalid');
  });

  const REPAIRED = /configuration_invalid[\s\S]*\n\{"connections":\[\](?!,"configuration")/;

  test('status --watch goes on when the connections file is repaired', async () => {
    const file = join(desk.stack.data.path, 'repaired.json');
    await writeFile(file, '{"connections":');
    const running = desk.start(['status', '--watch', '--json', '--connections', file]);
    let printed = '';
    for await (const chunk of running.child.stdout ?? []) {
      printed += String(chunk);
      if (REPAIRED.test(printed)) break;
      if (printed.includes('configuration_invalid')) await writeFile(file, '{"connections":{}}');
    }
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
    expect(printed).toMatch(REPAIRED);
  });

  test('status NAME --watch survives an error, and goes on when it is over', async () => {
    const file = join(desk.stack.data.path, 'removed.json');
    const entry = '{"connections":{"wrong":{}}}';
    await writeFile(file, entry);
    const running = desk.start(['status', 'wrong', '--watch', '--json', '--connections', file]);
    let printed = '';
    for await (const chunk of running.child.stdout ?? []) {
      printed += String(chunk);
      if (/connection_unknown[\s\S]*"state":"invalid"/.test(printed)) break;
      await writeFile(file, printed.includes('connection_unknown') ? entry : '{"connections":{}}');
    }
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
    expect(printed).toMatch(/"state":"invalid"[\s\S]*"error":\{"code":"connection_unknown"/);
  });

  test('status --watch runs until Ctrl-C', async () => {
    const running = desk.start(['status', '--watch', '--json']);
    let lines = 0;
    for await (const chunk of running.child.stdout ?? []) {
      lines += String(chunk).split('\n').length - 1;
      if (lines >= 2) break;
    }
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(130);
  });

  test('takes the function key from the environment, and reports its refusal', async () => {
    const keys: unknown[] = [];
    const server = createServer((request, response) => {
      keys.push(request.headers['x-functions-key']);
      response.writeHead(401).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const via = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const env = { ROTATOR_FUNCTION_KEY: 'the-key' };
    const ended = await run(['rotate', '--due', '--via', via], { env }).ended;
    server.close();
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain('does not accept the key');
    expect(ended.stderr).not.toContain('the-key');
    expect(keys).toEqual(['the-key']);
  });
});

describe('without a stack', () => {
  test('a command without settings names the option for the local stack', async () => {
    const env = { CREDENTIAL_VAULT_URL: '', CONNECTIONS: '' };
    for (const args of [['status'], ['rotate', 'strict'], ['connect', 'new']]) {
      const { code, stderr } = await run(args, { env }).ended;
      expect(code).toBe(3);
      expect(stderr).toContain(
        'Add --local to use the stack of npm start. For Azure: Set CREDENTIAL_VAULT_URL',
      );
    }
  });

  test('validate shows line and column, of JSON and of an entry', async () => {
    const file = join(desk.stack.data.path, 'checked.json');
    await writeFile(
      file,
      '{\n  "connections": {\n    "good": { "tokenUri": "https://login.example/token" },\n    "bad": { "tokenUri": "http://login.example" }\n  }\n}',
    );
    const entry = await run(['validate', file]).ended;
    expect(entry.code).toBe(3);
    expect(entry.stdout).toContain(`${file}:4:14: connections.bad.tokenUri must use https`);
    expect(entry.stdout).toContain('1 of 2 connections are valid.');
    await writeFile(file, '{"connections": {\n  "a b": {}\n}}');
    expect((await desk.withoutStack(['validate', file]).ended).stdout).toContain(
      `${file}:2:3: connections.a?b `,
    );
    await writeFile(file, Buffer.from('\ufeff{"connections": {}}', 'utf16le'));
    expect((await desk.withoutStack(['validate', file]).ended).stderr).toContain('is not encoded in UTF-8');
    await writeFile(file, '{\n  "connections": {,}\n}');
    const json = await desk.withoutStack(['validate', file, '--json']).ended;
    expect(documentOf(json)).toMatchObject({
      error: { message: expect.stringContaining('line 2, column 19') },
    });
    await writeFile(file, '{"connections":{"good":{"tokenUri":"https://login.example/token"}}}');
    expect((await desk.withoutStack(['validate', file]).ended).code).toBe(0);
    expect((await desk.withoutStack(['validate', `${file}.missing`]).ended).stderr).toContain(
      'cannot be read (ENOENT)',
    );
  });

  test('validate lists every mistake together, each at its own field', async () => {
    const file = join(desk.stack.data.path, 'mistakes.json');
    const lines = [
      '{ "connection": {},',
      '  "connections": {',
      '    "crm": { "tokenUri": "http://login.example/token", "renwBefore": 60,',
      '      "secrets": { "refresh_token": "x",',
      '        "accessToken": "not valid" },',
      '      "scope": "a", "parameters": { "scope": "b" } },',
      '    "erp": { "provider": "okta" },',
      '    "bi": { "tokenUri": "https://login.example/token", "vaults": { "token": "https://a/b" } } } }',
    ];
    await writeFile(file, lines.join('\n'));
    const ended = await desk.withoutStack(['validate', file, '--json']).ended;
    expect(ended.code).toBe(3);
    const { invalid }: { invalid: Record<string, unknown>[] } = JSON.parse(ended.stdout);
    const found = invalid.map(({ line, column, message, fix }) => [`${line}:${column}`, message, fix]);
    expect(found.sort()).toEqual([
      ['1:3', 'the top of the file has an unknown key connection.', 'Rename connection to connections.'],
      ['3:14', 'connections.crm.tokenUri must use https.', expect.stringMatching(/^Set /)],
      ['3:56', 'connections.crm has an unknown key renwBefore.', 'Rename renwBefore to renewBefore.'],
      [
        '4:20',
        'connections.crm.secrets has an unknown key refresh_token.',
        'Rename refresh_token to refreshToken.',
      ],
      [
        '5:9',
        expect.stringContaining('connections.crm.secrets.accessToken is not a valid'),
        expect.stringMatching(/^Set /),
      ],
      [
        '6:7',
        'connections.crm.scope conflicts with parameters.scope; set only one.',
        'Remove connections.crm.scope.',
      ],
      [
        '7:5',
        'connections.erp.tokenUri is missing; the provider okta needs it.',
        expect.stringMatching(/^Set /),
      ],
      ['8:68', 'connections.bi.vaults.token must not have a path.', expect.stringMatching(/^Set /)],
    ]);
  });

  test('validate points at the second of two equal keys, and at the fields that count', async () => {
    const file = join(desk.stack.data.path, 'twice.json');
    const entries = [
      '"a": { "tokenUri": "https://a.example/t" }',
      '"b": { "tokenUri": "https://b.example/t" }',
    ];
    await writeFile(file, `{"connections":{\n${[...entries, '"b": { "scope": "x" }'].join(',\n')}}}`);
    const { stdout } = await desk.withoutStack(['validate', file]).ended;
    expect(stdout).toContain(`${file}:4:1: connections.b appears twice.`);
    expect(stdout).toContain(`${file}:4:1: connections.b.tokenUri is missing`);
  });

  test('validate says which secrets need permission, and names none of them', async () => {
    const file = join(desk.stack.data.path, 'permission.json');
    const tokenUri = 'https://a.example/t';
    const secrets = { clientSecret: ['shared', 'crm-client-secret'], accessToken: 'any' };
    await writeFile(
      file,
      JSON.stringify({ connections: { crm: { tokenUri, secrets }, erp: { tokenUri } } }, null, 1),
    );
    const ended = await desk.withoutStack(['validate', file]).ended;
    expect(ended).toMatchObject({ code: 0 });
    expect(ended.stdout).toMatch(
      /:6:5: note: connections\.crm\.secrets\.clientSecret .+\n {2}Set the tag connections=crm .+ALLOWED_SECRETS/,
    );
    expect(ended.stdout.match(/note:/g)).toHaveLength(1);
    expect(ended.stdout).not.toContain('shared');
    const allowed = await desk.withoutStack(['validate', file, '--json'], {
      env: { ALLOWED_SECRETS: 'shared' },
    }).ended;
    expect(documentOf(allowed)).toMatchObject({ notes: [] });
  });

  test('validate says that a file without connections is valid and does nothing', async () => {
    const file = join(desk.stack.data.path, 'empty.json');
    await writeFile(file, '{"connections":{}}');
    const ended = await desk.withoutStack(['validate', file]).ended;
    expect(ended).toMatchObject({ code: 0, stdout: expect.stringContaining('it has no connections') });
  });

  test('validate refuses an address to which no token request would be sent', async () => {
    const file = join(desk.stack.data.path, 'addresses.json');
    const entry = (host: string, more = {}) => ({ tokenUri: `https://${host}/token`, ...more });
    const connections = {
      metadata: entry('169.254.169.254'),
      decimal: entry('2852039166'),
      'in-ipv6': entry('[::ffff:10.0.0.5]'),
      inside: entry('10.0.0.5'),
      allowed: entry('10.0.0.5', { allowPrivateNetwork: true }),
      here: entry('127.0.0.1'),
      local: entry('localhost'),
      misspelled: entry('127.0.0.1', { scop: 'x' }),
      plain: { tokenUri: 'http://127.0.0.1:1/token' },
      public: entry('20.190.151.7'),
    };
    await writeFile(file, JSON.stringify({ connections }, null, 2));
    const ended = await desk.withoutStack(['validate', file, '--json']).ended;
    expect(ended.code).toBe(3);
    const document: { valid: string[]; invalid: Record<string, unknown>[] } = JSON.parse(ended.stdout);
    expect(document.valid).toEqual(['allowed', 'public']);
    expect(document.invalid).toMatchObject([
      { name: 'misspelled', message: expect.stringContaining('unknown key scop') },
      { name: 'plain', message: expect.stringContaining('ALLOW_LOOPBACK_HTTP') },
      { name: 'metadata', line: 4, message: expect.stringContaining('a metadata service') },
      { name: 'decimal', message: expect.stringContaining('a metadata service') },
      { name: 'in-ipv6', fix: expect.stringContaining('"allowPrivateNetwork": true for in-ipv6') },
      { name: 'inside', code: 'address_refused', fix: expect.stringContaining('"allowPrivateNetwork"') },
      { name: 'here', message: 'connections.here.tokenUri names an address of this machine.' },
      { name: 'local', message: 'connections.local.tokenUri names an address of this machine.' },
      { name: 'misspelled', message: 'connections.misspelled.tokenUri names an address of this machine.' },
    ]);
    expect((await desk.withoutStack(['validate', file, '--local', '--json']).ended).stdout).toContain(
      '"here"',
    );
  });

  test('validate refuses such an address of a profile, of a tenant and for revocations as well', async () => {
    const file = join(desk.stack.data.path, 'inherited.json');
    const tokenUri = 'https://login.example.com/token';
    const providers = {
      acme: { tokenUri: 'https://10.0.0.5/token' },
      unused: { tokenUri: 'https://169.254.169.254/token' },
      realm: {
        tokenUri,
        errors: [
          { error: 'a', means: 'retrying' },
          { error: 'b', means: 'x' },
        ],
      },
    };
    const connections = {
      inherits: { provider: 'acme' },
      allowed: { provider: 'acme', allowPrivateNetwork: true },
      tenant: { provider: 'adfs', tenant: '10.0.0.5' },
      revokes: { tokenUri, revocationUri: 'https://10.0.0.5/revoke' },
    };
    await writeFile(file, JSON.stringify({ providers, connections }, null, 2));
    const ended = await desk.withoutStack(['validate', file, '--json']).ended;
    expect(ended.code).toBe(3);
    const document: { valid: string[]; invalid: Record<string, unknown>[] } = JSON.parse(ended.stdout);
    expect(document.valid).toEqual(['allowed']);
    expect(document.invalid).toMatchObject([
      { line: 18, message: expect.stringContaining('providers.realm.errors[1].means must be one of') },
      { line: 7, message: expect.stringMatching(/^providers\.unused\.tokenUri names a metadata service/) },
      { name: 'inherits', message: expect.stringContaining('connections.inherits.provider names') },
      { name: 'tenant', fix: expect.stringContaining('Otherwise, correct tenant') },
      { name: 'revokes', message: expect.stringContaining('connections.revokes.revocationUri names') },
    ]);
  });

  test('validate refuses a schedule that the host would not run', async () => {
    const file = join(desk.stack.data.path, 'scheduled.json');
    await writeFile(file, '{"connections":{}}');
    const ended = await desk.withoutStack(['validate', file], {
      env: { ROTATION_SCHEDULE: '*/10 * * * * 1-7' },
    }).ended;
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain('ROTATION_SCHEDULE is not an NCRONTAB schedule: field 6 (day of week)');
  });

  test('validate reads the settings as all commands do', async () => {
    const file = join(desk.stack.data.path, 'local.json');
    await writeFile(file, '{"connections":{"here":{"tokenUri":"http://127.0.0.1:1/token"}}}');
    const validate = (env: Record<string, string>, ...more: string[]) =>
      desk.withoutStack(['validate', file, ...more], { env }).ended;
    expect((await validate({})).code).toBe(3);
    expect((await validate({ ALLOW_LOOPBACK_HTTP: 'TRUE' })).code).toBe(0);
    expect((await validate({}, '--local')).code).toBe(0);
    const allowed = { ALLOW_LOOPBACK_HTTP: 'true', TOKEN_VAULT_URL: ' ', CREDENTIAL_VAULT_URL: '' };
    expect((await validate(allowed)).code).toBe(0);
    const elsewhere = await validate({ ...allowed, ALLOWED_TOKEN_HOSTS: 'login.example' });
    expect(elsewhere.stdout).toContain('connections.here.tokenUri is not among those');
    const nowhere = await validate({ ...allowed, CREDENTIAL_VAULT_URL: 'foo' });
    expect(nowhere).toMatchObject({ code: 3, stdout: '' });
    expect(nowhere.stderr).toContain('configuration_invalid: CREDENTIAL_VAULT_URL ');
  });

  test('export-schema prints the schema of the repository', async () => {
    expect(JSON.parse((await run(['export-schema']).ended).stdout)).toEqual(schema);
  });

  test.each([
    [['nonsense'], "unknown command 'nonsense'"],
    [['status', '--nonsense'], "unknown option '--nonsense'"],
    [['history', 'x', 'y'], 'Expected 1 argument but got 2.'],
    [
      ['status', '--credential-vault', ''],
      "'--credential-vault <url>' argument '' is invalid. Enter a value.",
    ],
    [['remove', '--all', '--connections', ' '], 'Enter a value.'],
    [['rotate'], 'either the name of a connection'],
    [['rotate', 'x', '--due'], 'either the name of a connection'],
    [['validate'], "missing required argument 'file'"],
    [['connect', 'x', '--timeout', '0'], 'whole number of seconds from 1'],
    [['connect', 'x', '--refresh-token-grace', ''], 'seconds from 0, or unlimited'],
    [['import', 'x', '--refresh-token-grace', '1e3'], 'seconds from 0, or unlimited'],
    [['connect', 'x', '--parameter', 'prompt=login', 'state=1'], 'itself sets the parameter state'],
    [['connect', 'x', '--parameter', 'offline'], 'not in the form NAME=VALUE'],
  ])('%j is an invalid command line, also with --json', async (args, text) => {
    const ended = await desk.withoutStack(args).ended;
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toContain(text);
    const json = await desk.withoutStack([...args, '--json']).ended;
    expect(json).toMatchObject({ code: 2, stderr: '' });
    const message = expect.stringContaining(text);
    expect(json.stdout).not.toContain('.."');
    expect(documentOf(json)).toMatchObject({ error: { code: 'command_invalid', message } });
  });

  test('prints its version, also as JSON', async () => {
    expect(await run(['--version']).ended).toMatchObject({ code: 0, stdout: `${packageFile.version}\n` });
    const { version } = packageFile;
    expect(JSON.parse((await run(['--version', '--json']).ended).stdout)).toEqual({ version });
  });

  test('a missing command is an invalid command line', async () => {
    expect(await run([]).ended).toMatchObject({ code: 2, stdout: '' });
    const message = expect.stringContaining('the command is missing');
    expect(documentOf(await desk.withoutStack(['--json']).ended)).toMatchObject({ error: { message } });
  });

  test.each([
    [
      'with a line break in the middle',
      'half\nhalf',
      'configuration_invalid: ROTATOR_FUNCTION_KEY contains white space',
    ],
    ['that is never sent', 'a-key', 'rotator_unreachable: Cannot connect to 127.0.0.1'],
  ])('reports a function key %s differently from a lost response', async (_, key, text) => {
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const via = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    server.close();
    await once(server, 'close');
    const ended = await desk.withoutStack(['rotate', 'x', '--via', via], {
      env: { ROTATOR_FUNCTION_KEY: key },
    }).ended;
    expect(ended.stderr).toContain(text);
    expect(ended.stderr).not.toContain('may still work');
  });

  test('names all missing settings', async () => {
    const ended = await run(['status']).ended;
    expect(ended.code).toBe(3);
    for (const name of ['CREDENTIAL_VAULT_URL', 'CONNECTIONS', 'AzureWebJobsStorage__accountName'])
      expect(ended.stderr).toContain(`${name} is not set`);
  });

  test('reports that no local stack is running', async () => {
    const ended = await desk.withoutStack(['status', '--stack', '/nowhere/stack.json']).ended;
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain('Run npm start');
  });
});
