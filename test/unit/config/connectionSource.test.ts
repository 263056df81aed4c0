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
const NOW = Date.parse('2026-01-01T00:00:00Z');
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
    expect(world.events()).toEqual(['configuration_loaded', 'configuration_loaded', 'connection_changed']);
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
      const text = expect.any(String);
      const stale = { code: text, message: text, fix: text, since: NOW };
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
      'configuration_loaded',
      'configuration_invalid',
    ]);
    world.recover();
    expect(await names(world)).toEqual(['b']);
  });

  it.each<[string, (world: World) => void]>([
    ['the old text', (world) => world.recover()],
    ['another text', (world) => world.set(fileOf({ a: ENTRY }))],
  ])('logs once that it is readable again, with %s', async (_, repair) => {
    const world = start(connectionsSource, fileOf({ a: ENTRY }));
    await world.source();
    world.fail(unavailable());
    await world.source();
    repair(world);
    await world.source();
    await world.source();
    expect(linesOf(world.lines, 'configuration_loaded')).toMatchObject([
      {},
      { changed: 0, unreadableSince: new Date(NOW).toISOString() },
    ]);
  });

  it('confirms each added, changed, paused, resumed, corrected and removed connection', async () => {
    const before = { a: ENTRY, b: ENTRY, c: ENTRY, d: { ...ENTRY, enabled: false }, e: {}, f: ENTRY };
    const world = start(connectionsSource, fileOf(before));
    await world.source();
    const after = {
      a: ENTRY,
      b: { ...ENTRY, scope: 'x' },
      c: { ...ENTRY, enabled: false },
      d: ENTRY,
      e: ENTRY,
      g: ENTRY,
    };
    world.set(fileOf(after));
    await world.source();
    const changes = linesOf(world.lines, 'connection_changed');
    expect(changes.map(({ connection, change }) => `${connection} ${change}`)).toEqual([
      'b changed',
      'c paused',
      'd resumed',
      'e valid_again',
      'g added',
      'f removed',
    ]);
    expect(linesOf(world.lines, 'configuration_loaded').at(-1)).toMatchObject({ changed: 6 });
  });

  it('logs at most 50 changes of one file, and their number', async () => {
    const world = start(connectionsSource, fileOf({}));
    await world.source();
    world.set(fileOf(Object.fromEntries(Array.from({ length: 60 }, (_, at) => [`c${at}`, ENTRY]))));
    await world.source();
    expect(linesOf(world.lines, 'connection_changed')).toHaveLength(50);
    expect(linesOf(world.lines, 'configuration_loaded').at(-1)).toMatchObject({ changed: 60 });
  });

  it('throws at the first read if it fails, and tries again at the next call', async () => {
    const world = start(connectionsSource, '[]');
    for (const _ of [1, 2]) {
      const thrown = await errorOf(world.source());
      expect([thrown.code, thrown.since]).toEqual(['configuration_invalid', NOW]);
    }
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

describe('a secret that two entries name', () => {
  const claiming = (name: string) => ({ ...ENTRY, secrets: { refreshToken: name } });
  const invalid = async ({ source }: World) => (await source()).invalid.map(({ name }) => name);

  it('stays with the connection that has named it, and only the newcomer is invalid', async () => {
    const world = start(FILE, fileOf({ old: claiming('shared'), other: ENTRY }));
    await world.source();
    world.lookupError = unavailable();
    world.set(fileOf({ new: claiming('shared'), old: claiming('shared'), other: ENTRY }));
    expect(await names(world)).toEqual(['old', 'other']);
    expect(linesOf(world.lines, 'connection_invalid')).toMatchObject([
      {
        connection: 'new',
        message:
          'connections.new.secrets.refreshToken names a secret that belongs to the connection old (connections.old.secrets.refreshToken).',
      },
    ]);
  });

  it('stays with that connection at the first read of a process as well', async () => {
    const world = start(FILE, fileOf({ new: claiming('shared'), old: claiming('shared') }));
    world.owners.set('shared', ['old']);
    expect(await invalid(world)).toEqual(['new']);
  });

  it('stays with the older one of two names that differ only in case', async () => {
    const world = start(FILE, fileOf({ CRM: ENTRY, crm: ENTRY, other: ENTRY }));
    expect(await invalid(world)).toEqual(['CRM', 'crm']);
    world.owners.set('crm-refresh-token', ['crm']);
    world.set(fileOf({ CRM: ENTRY, crm: ENTRY }));
    expect(await invalid(world)).toEqual(['CRM']);
    const later = start(FILE, fileOf({ crm: ENTRY }));
    await later.source();
    later.set(fileOf({ CRM: ENTRY, crm: ENTRY }));
    expect(await invalid(later)).toEqual(['CRM']);
  });

  it('is not taken from the many that read it by a newcomer that would write it', async () => {
    const reading = { ...ENTRY, secrets: { clientSecret: 'shared' } };
    const file = fileOf({ one: reading, two: reading, writer: claiming('shared') });
    const world = start(FILE, file);
    world.owners.set('shared', ['one', 'two']);
    expect(await invalid(world)).toEqual(['writer']);
    const later = start(FILE, fileOf({ one: reading, two: reading }));
    await later.source();
    later.set(file);
    expect(await invalid(later)).toEqual(['writer']);
  });

  it('stays with the connection that named it before if another one that works now names it as well', async () => {
    const world = start(FILE, fileOf({ old: claiming('shared'), other: ENTRY }));
    await world.source();
    world.owners.set('shared', ['other']);
    world.set(fileOf({ old: claiming('shared'), other: claiming('shared') }));
    expect(await invalid(world)).toEqual(['other']);
  });

  it('makes both invalid while nothing tells whom it belongs to', async () => {
    const world = start(FILE, fileOf({ one: claiming('shared'), two: claiming('shared') }));
    expect(await invalid(world)).toEqual(['one', 'two']);
  });

  it('is looked up again if the vault could not be read, and the result is logged once', async () => {
    const world = start(FILE, fileOf({ new: claiming('shared'), old: claiming('shared') }));
    world.lookupError = unavailable();
    expect(await invalid(world)).toEqual(['new', 'old']);
    await world.source();
    world.lookupError = undefined;
    world.owners.set('shared', ['old']);
    expect(await invalid(world)).toEqual(['new']);
    expect(await invalid(world)).toEqual(['new']);
    expect(world.events()).toEqual([
      'configuration_loaded',
      'connection_invalid',
      'connection_invalid',
      'configuration_loaded',
      'connection_changed',
      'connection_invalid',
    ]);
    expect(world.asked).toEqual([undefined, undefined, undefined, '1']);
  });

  it('stays with an entry that has become invalid for another reason', async () => {
    const world = start(FILE, fileOf({ crm: ENTRY }));
    await world.source();
    world.set(fileOf({ crm: {}, thief: claiming('crm-refresh-token') }));
    expect(await invalid(world)).toEqual(['crm', 'thief']);
  });
});

interface World {
  /** What vault and records know: the owners by the name of the secret. */
  readonly owners: Map<string, readonly string[]>;
  lookupError: unknown;
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
    owners: new Map(),
    lookupError: undefined,
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
  const readers = {
    readFile: read(FILE.path),
    readBlob: read(BLOB.url),
    ownersOf: async ({ name }: { name: string }) => {
      if (world.lookupError) throw world.lookupError;
      return world.owners.get(name) ?? [];
    },
  };
  const settings = { ...CONTEXT, connectionsSource };
  const source = createConnectionSource(settings, readers, logInto(world.lines), () => NOW);
  return Object.assign(world, { source });
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
