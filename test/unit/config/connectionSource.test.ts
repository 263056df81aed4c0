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
import type { LogLevel } from '../../../lib/log.ts';
import { CONTEXT, ENTRY, fileOf } from './support.ts';

const CANARY = 'canary-e2f4';
const BLOB = { kind: 'blob', url: 'https://a.blob.core.windows.net/c/b' } as const;
const FILE = { kind: 'file', path: '/config/connections.json' } as const;

describe.each([BLOB, FILE])('a $kind', (connectionsSource) => {
  it('is read at the first call and again when it changed', async () => {
    const world = start(connectionsSource, fileOf({ a: ENTRY }));
    expect(await names(world)).toEqual(['a']);
    const first = await world.source();
    expect(await world.source()).toBe(first);
    world.set(fileOf({ a: ENTRY, b: ENTRY }));
    expect(await names(world)).toEqual(['a', 'b']);
    expect(world.asked).toEqual([undefined, '1', '1', '1']);
    expect(world.events()).toEqual(['configuration_loaded', 'configuration_loaded']);
  });

  it('one flight serves calls at the same time', async () => {
    const world = start(connectionsSource, fileOf({ a: ENTRY }));
    const [one, other] = await Promise.all([world.source(), world.source()]);
    expect(one).toBe(other);
    expect(world.asked).toHaveLength(1);
  });

  it('counts and one warning per invalid entry are logged when it is read, not later', async () => {
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
    ['became no JSON', (world) => world.set(`{"${CANARY}`)],
    ['became unreadable', (world) => world.fail(fileError())],
    ['became unavailable', (world) => world.fail(unavailable())],
  ])('where it %s, the last good connections stay, with one line', async (_, breakIt) => {
    const world = start(connectionsSource, fileOf({ a: ENTRY }));
    const good = await world.source();
    breakIt(world);
    for (const _ of [1, 2]) {
      const stale = { code: expect.any(String), message: expect.any(String), fix: expect.any(String) };
      expect(await world.source()).toEqual({ ...good, stale });
    }
    expect(world.events()).toEqual(['configuration_loaded', 'configuration_invalid']);
    expect(world.lines[1]).toMatchObject({ level: 'error', message: expect.stringContaining('last good') });
    expect(JSON.stringify(world.lines)).not.toContain(CANARY);
    world.set(fileOf({ b: ENTRY }));
    expect(await names(world)).toEqual(['b']);
    expect(await world.source()).not.toHaveProperty('stale');
  });

  it('an outage in between does not hide that the last text was no good, and does not outlast itself', async () => {
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

  it('each change for the worse has its line', async () => {
    const world = start(connectionsSource, fileOf({ a: ENTRY }));
    await world.source();
    for (const text of ['{', '[', '[']) {
      world.set(text);
      await world.source();
    }
    expect(world.events().filter((event) => event === 'configuration_invalid')).toHaveLength(3);
  });

  it('a second outage has its line, and what was missed in one is read after it', async () => {
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

  it('the first reading throws, and is tried again', async () => {
    const world = start(connectionsSource, '[]');
    await expect(world.source()).rejects.toMatchObject({ code: 'configuration_invalid' });
    await expect(world.source()).rejects.toMatchObject({ code: 'configuration_invalid' });
    world.set(fileOf({ a: ENTRY }));
    expect(await names(world)).toEqual(['a']);
    expect(world.asked).toEqual([undefined, undefined, undefined]);
  });

  it('a first reading that fails tells the reason and not the text of the error', async () => {
    const world = start(connectionsSource, '');
    world.fail(fileError());
    const thrown = await world.source().catch((error: unknown) => error);
    expect(thrown).toBeInstanceOf(RotatorError);
    expect(thrown).toMatchObject({ message: expect.stringContaining('cannot be read (ENOENT)') });
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

  it('is refused at each call where it is wrong', async () => {
    const world = start({ kind: 'inline', text: `{"${CANARY}` }, '');
    for (const _ of [1, 2]) {
      const thrown = await world.source().catch((error: unknown) => error);
      expect(thrown).toMatchObject({ code: 'configuration_invalid' });
      expect(String(thrown)).not.toContain(CANARY);
    }
  });
});

describe('the reader of files', () => {
  it('tells a text from its other versions, by a rename or a write, even within one second', async () => {
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

  it('refuses a pipe, and whatever else is no file, at once: it could be waited for without end', async () => {
    for (const path of ['/dev/null', await directory()])
      await expect(readConnectionFile(path)).rejects.toMatchObject({ code: 'not a file' });
  });

  it('fails where there is no file', async () => {
    await expect(readConnectionFile(join(await directory(), 'none'))).rejects.toMatchObject({
      code: 'ENOENT',
    });
  });
});

interface World {
  readonly source: ReturnType<typeof createConnectionSource>;
  /** The stamps that the reader was asked with. */
  readonly asked: (string | undefined)[];
  readonly lines: { level: LogLevel; event: string }[];
  events(): string[];
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
  const log = (level: LogLevel, event: string, fields = {}) => world.lines.push({ level, event, ...fields });
  return { ...world, source: createConnectionSource({ ...CONTEXT, connectionsSource }, readers, log) };
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
