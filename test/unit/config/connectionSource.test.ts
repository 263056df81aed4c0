import { mkdtemp, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readConnectionFile } from '../../../lib/config/connectionFile.ts';
import {
  createConnectionSource,
  type ReadText,
  type SourceSettings,
} from '../../../lib/config/connectionSource.ts';
import { RotatorError } from '../../../lib/errors.ts';
import type { LogEvent } from '../../../lib/log.ts';
import { type LogLine, linesOf, logInto } from '../../support/logLines.ts';
import { errorOf } from '../../support/thrown.ts';
import { CONTEXT, ENTRY, fileOf } from './support.ts';

const CANARY = 'canary-e2f4';
const BLOB = { kind: 'blob', url: 'https://a.blob.core.windows.net/c/b' } as const;
const FILE = { kind: 'file', path: '/config/connections.json' } as const;

describe.each([BLOB, FILE])('a $kind', (connectionsSource) => {
  it('is read at the first call and again after a change', async () => {
    const world = start(connectionsSource, fileOf({ a: ENTRY }));
    expect(await names(world)).toEqual(['a']);
    const first = await world.source();
    expect(await world.source()).toBe(first);
    world.set(fileOf({ a: ENTRY, b: ENTRY }));
    expect(await names(world)).toEqual(['a', 'b']);
    expect(world.asked).toEqual([undefined, '1', '1', '1']);
    expect(world.events()).toEqual(['configuration_loaded', 'configuration_loaded']);
  });

  it('is read once for concurrent calls', async () => {
    const world = start(connectionsSource, fileOf({ a: ENTRY }));
    const [one, other] = await Promise.all([world.source(), world.source()]);
    expect(one).toBe(other);
    expect(world.asked).toHaveLength(1);
  });

  it('logs the counts and one warning per invalid entry when it is read, not later', async () => {
    const world = start(connectionsSource, fileOf({ a: ENTRY, b: { ...ENTRY, enabled: false }, c: {} }));
    await world.source();
    await world.source();
    expect(world.lines).toEqual([
      { level: 'info', event: 'configuration_loaded', connections: 3, valid: 2, paused: 1, invalid: 1 },
      {
        level: 'warn',
        event: 'connection_invalid',
        connection: 'c',
        code: 'connection_invalid',
        message: 'connections.c.tokenUri is missing; the provider generic needs it.',
        fix: expect.stringContaining('Set connections.c.tokenUri'),
      },
    ]);
  });

  it.each<[string, (world: World) => void]>([
    ['is not valid JSON', (world) => world.set(`{"${CANARY}`)],
    ['cannot be read', (world) => world.fail(fileError())],
    ['is unavailable', (world) => world.fail(unavailable())],
  ])('if it %s, keeps the last valid connections and logs one line', async (_, breakIt) => {
    const world = start(connectionsSource, fileOf({ a: ENTRY }));
    const good = await world.source();
    breakIt(world);
    for (const _ of [1, 2]) {
      const stale = { code: expect.any(String), message: expect.any(String), fix: expect.any(String) };
      expect(await world.source()).toEqual({ ...good, stale });
    }
    expect(world.events()).toEqual(['configuration_loaded', 'configuration_invalid']);
    expect(world.lines[1]).toMatchObject({ level: 'error', message: expect.stringContaining('last valid') });
    expect(JSON.stringify(world.lines)).not.toContain(CANARY);
    world.set(fileOf({ b: ENTRY }));
    expect(await names(world)).toEqual(['b']);
    expect(await world.source()).not.toHaveProperty('stale');
  });

  it('reports the invalid last text again after an outage, and the outage only while it lasts', async () => {
    const world = start(connectionsSource, fileOf({ a: ENTRY }));
    const staleCode = async () => (await world.source()).stale?.code;
    await world.source();
    world.fail(unavailable());
    expect(await staleCode()).toBe('storage_unavailable');
    world.recover();
    expect(await staleCode()).toBeUndefined();
    world.set('{');
    expect(await staleCode()).toBe('configuration_invalid');
    world.fail(unavailable());
    expect(await staleCode()).toBe('storage_unavailable');
    world.recover();
    expect(await staleCode()).toBe('configuration_invalid');
  });

  it('logs one line for each invalid text', async () => {
    const world = start(connectionsSource, fileOf({ a: ENTRY }));
    await world.source();
    for (const text of ['{', '[', '[']) {
      world.set(text);
      await world.source();
    }
    expect(linesOf(world.lines, 'configuration_invalid')).toHaveLength(3);
  });

  it('logs a second outage, and reads after it what changed during it', async () => {
    const world = start(connectionsSource, fileOf({ a: ENTRY }));
    await world.source();
    world.fail(unavailable());
    await world.source();
    world.recover();
    await world.source();
    world.fail(unavailable());
    world.set(fileOf({ b: ENTRY }), unavailable());
    await world.source();
    expect(world.events()).toEqual([
      'configuration_loaded',
      'configuration_invalid',
      'configuration_invalid',
    ]);
    world.recover();
    expect(await names(world)).toEqual(['b']);
  });

  it('throws at the first read if it fails, and tries again at the next call', async () => {
    const world = start(connectionsSource, '[]');
    await expect(world.source()).rejects.toMatchObject({ code: 'configuration_invalid' });
    await expect(world.source()).rejects.toMatchObject({ code: 'configuration_invalid' });
    world.set(fileOf({ a: ENTRY }));
    expect(await names(world)).toEqual(['a']);
    expect(world.asked).toEqual([undefined, undefined, undefined]);
  });

  it('reports the reason of a failed first read, not the text of the error', async () => {
    const world = start(connectionsSource, '');
    world.fail(fileError());
    const thrown = await errorOf(world.source());
    expect(thrown.message).toContain('cannot be read (ENOENT)');
    expect(JSON.stringify(thrown) + String(thrown)).not.toContain(CANARY);
    world.fail(unavailable());
    await expect(world.source()).rejects.toMatchObject({ code: 'storage_unavailable' });
    world.fail('a text');
    await expect(world.source()).rejects.toMatchObject({ code: 'configuration_invalid' });
  });
});

describe('a text in the setting', () => {
  it('is parsed once', async () => {
    const world = start({ kind: 'inline', text: fileOf({ a: ENTRY }) }, '');
    expect(await world.source()).toBe(await world.source());
    expect(world.events()).toEqual(['configuration_loaded']);
  });

  it('is refused at each call if it is not valid', async () => {
    const world = start({ kind: 'inline', text: `{"${CANARY}` }, '');
    for (const _ of [1, 2]) {
      const thrown = await errorOf(world.source());
      expect(thrown).toMatchObject({ code: 'configuration_invalid' });
      expect(String(thrown)).not.toContain(CANARY);
    }
  });
});

describe('the reader of files', () => {
  it('detects a rename or a write, even within one second', async () => {
    const path = join(await directory(), 'connections.json');
    await writeFile(path, 'one');
    const first = await readConnectionFile(path);
    expect(first).toMatchObject({ text: 'one' });
    const { stamp } = first as { stamp: string };
    expect(await readConnectionFile(path, stamp)).toBe('unchanged');
    const time = new Date('2026-01-01T00:00:00Z');
    await writeFile(`${path}.new`, 'two');
    await utimes(path, time, time);
    await utimes(`${path}.new`, time, time);
    const before = (await readConnectionFile(path)) as { stamp: string };
    await rename(`${path}.new`, path);
    expect(await readConnectionFile(path, before.stamp)).toMatchObject({ text: 'two' });
  });

  it('immediately refuses a pipe and everything else that is not a file, because reading could wait forever', async () => {
    for (const path of ['/dev/null', await directory()])
      await expect(readConnectionFile(path)).rejects.toMatchObject({ code: 'NOT_A_FILE' });
  });

  it('fails if there is no file', async () => {
    await expect(readConnectionFile(join(await directory(), 'none'))).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

interface World {
  readonly source: ReturnType<typeof createConnectionSource>;
  /** The stamps that the reader received. */
  readonly asked: (string | undefined)[];
  readonly lines: LogLine[];
  events(): LogEvent[];
  /** Another text; the source can be read again unless an error comes with it. */
  set(text: string, error?: unknown): void;
  fail(error: unknown): void;
  recover(): void;
}

function start(connectionsSource: SourceSettings['connectionsSource'], text: string): World {
  const now: { text: string; version: number; error?: unknown } = { text, version: 1 };
  const world: Omit<World, 'source'> = {
    asked: [],
    lines: [],
    events: () => world.lines.map(({ event }) => event),
    set: (next, error) => Object.assign(now, { text: next, version: now.version + 1, error }),
    fail: (error) => Object.assign(now, { error }),
    recover: () => Object.assign(now, { error: undefined }),
  };
  const read =
    (expected: string): ReadText =>
    async (location, stamp) => {
      expect(location).toBe(expected);
      world.asked.push(stamp);
      if (now.error) throw now.error;
      return stamp === String(now.version) ? 'unchanged' : { text: now.text, stamp: String(now.version) };
    };
  const readers = { readFile: read(FILE.path), readBlob: read(BLOB.url) };
  const settings = { ...CONTEXT, connectionsSource };
  return { ...world, source: createConnectionSource(settings, readers, logInto(world.lines)) };
}

async function names({ source }: World): Promise<string[]> {
  return (await source()).valid.map(({ name }) => name);
}

function fileError(): Error {
  return Object.assign(new Error(`ENOENT: no such file, open '${CANARY}'`), { code: 'ENOENT' });
}

function unavailable(): RotatorError {
  return new RotatorError({ code: 'storage_unavailable', message: 'Storage is away.', fix: 'Wait.' });
}

async function directory(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'rotator-config-'));
  onTestFinished(() => rm(path, { recursive: true }));
  return path;
}
