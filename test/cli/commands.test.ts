import { once } from 'node:events';
import { stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import schema from '../../connections.schema.json' with { type: 'json' };
import { type Desk, documentOf, run, STRICT, startDesk } from './support.ts';

let desk: Desk;

beforeAll(async () => {
  desk = await startDesk([STRICT, { ...STRICT, name: 'other' }]);
});

afterAll(() => desk?.close());

describe('with a running local stack', { timeout: 60_000 }, () => {
  test('the state file can be read by its owner only', async () => {
    expect((await stat(desk.stateFile)).mode & 0o777).toBe(0o600);
  });

  test('plan, rotate --due, status', async () => {
    expect(documentOf(await desk.rotator(['plan', '--json']).ended)).toMatchObject({
      planned: [
        { connection: 'strict', action: 'heal' },
        { connection: 'other', action: 'heal' },
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
    expect(stdout).toMatch(/\nother +fresh +\d+ s +1 +\d+ s ago +in \d+ s\n/);
    expect(stdout).not.toContain('\u001b');
  });

  test('rotate NAME: not due, forced, through the functions, again too soon', async () => {
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

  test('a rotation of somebody else is told', async () => {
    desk.stack.servers.authorization.intercept(async () => {
      await first.promise;
      return undefined;
    });
    const first = Promise.withResolvers<void>();
    const holding = desk.rotator(['rotate', 'strict', '--force', '--json']);
    while (desk.stack.servers.authorization.tokenRequests.at(-1)?.status !== undefined)
      await new Promise(setImmediate);
    const refused = await desk.rotator(['rotate', 'strict', '--force', '--json']).ended;
    expect(refused.code).toBe(5);
    expect(documentOf(refused)).toMatchObject({ result: 'in_progress' });
    // Ctrl-C now: the grant is out, so its token is saved before the command ends.
    holding.child.kill('SIGINT');
    first.resolve();
    const ended = await holding.ended;
    desk.stack.servers.authorization.intercept(undefined);
    expect(documentOf(ended)).toMatchObject({ result: 'rotated', generation: 2 });
    expect(ended.code).toBe(0);
  });

  test('a name that is none', async () => {
    const ended = await desk.rotator(['status', 'nix']).ended;
    expect(ended).toMatchObject({ code: 3, stdout: '' });
    expect(ended.stderr).toContain('connection_unknown: There is no connection named nix.');
  });

  test('status --watch goes on until Ctrl-C', async () => {
    const running = desk.rotator(['status', '--watch', '--json']);
    let lines = 0;
    for await (const chunk of running.child.stdout ?? []) {
      lines += String(chunk).split('\n').length - 1;
      if (lines >= 2) break;
    }
    running.child.kill('SIGINT');
    expect((await running.ended).code).toBe(0);
  });

  test('a key of the functions comes from the environment, and its refusal is told', async () => {
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
  test('validate tells line and column, of JSON and of an entry', async () => {
    const file = join(desk.stack.data.path, 'checked.json');
    await writeFile(
      file,
      '{\n  "connections": {\n    "good": { "tokenUri": "https://login.example/token" },\n    "bad": { "tokenUri": "http://login.example" }\n  }\n}',
    );
    const entry = await run(['validate', file]).ended;
    expect(entry.code).toBe(3);
    expect(entry.stdout).toContain(`${file}:4:5: connections.bad.tokenUri must use https`);
    expect(entry.stdout).toContain('1 of 2 connections are valid.');
    await writeFile(file, '{\n  "connections": {,}\n}');
    const json = await run(['validate', file, '--json']).ended;
    expect(documentOf(json)).toMatchObject({
      error: { message: expect.stringContaining('line 2, column 19') },
    });
    await writeFile(file, '{"connections":{"good":{"tokenUri":"https://login.example/token"}}}');
    expect((await run(['validate', file]).ended).code).toBe(0);
    expect((await run(['validate', `${file}.missing`]).ended).stderr).toContain('cannot be read (ENOENT)');
  });

  test('export-schema prints the schema of the repository', async () => {
    expect(JSON.parse((await run(['export-schema']).ended).stdout)).toEqual(schema);
  });

  test.each([
    [['nonsense'], "unknown command 'nonsense'"],
    [['status', '--nonsense'], "unknown option '--nonsense'"],
    [['rotate'], 'either the name of a connection'],
    [['rotate', 'x', '--due'], 'either the name of a connection'],
    [['validate'], "missing required argument 'file'"],
    [['connect', 'x', '--timeout', 'soon'], 'whole number of seconds'],
  ])('%j is a wrong command line', async (args, text) => {
    const ended = await run(args).ended;
    expect(ended).toMatchObject({ code: 2, stdout: '' });
    expect(ended.stderr).toContain(text);
  });

  test('missing settings are named, all of them', async () => {
    const ended = await run(['status']).ended;
    expect(ended.code).toBe(3);
    for (const name of ['CREDENTIAL_VAULT_URL', 'CONNECTIONS', 'AzureWebJobsStorage__accountName'])
      expect(ended.stderr).toContain(`${name} is not set`);
  });

  test('a local stack that does not run is told', async () => {
    const ended = await run(['status', '--stack', '/nowhere/stack.json']).ended;
    expect(ended.code).toBe(3);
    expect(ended.stderr).toContain('Start it with npm start');
  });
});
