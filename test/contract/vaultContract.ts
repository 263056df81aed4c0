import { describe, expect, it } from 'vitest';
import { RotatorError } from '../../lib/errors.ts';
import type { Tags } from '../../lib/rotation/core/tags.ts';
import type { Secret, SecretVault } from '../../lib/rotation/ports.ts';

/** One vault, and its surroundings that the cases need. */
export interface VaultSide {
  /** The vault as a new process sees it. */
  process(): SecretVault;
  /** The service's clock in milliseconds. It is stopped in the middle of a second. */
  readonly now: number;
  /** Lets a second pass. */
  passSecond(): void;
  readonly operator: {
    set(name: string, value: string): Promise<unknown>;
    enable(name: string, version: string): Promise<unknown>;
    delete(name: string): Promise<unknown>;
    recover(name: string): Promise<unknown>;
  };
  /** The vault executes the next write of a new version, but its response is lost. */
  loseNextResponse(): void;
}

const TAGS = { 'managed-by': 'key-vault-token-rotator', connection: 'crm' };
const UNKNOWN_VERSION = 'f'.repeat(32);
/** The last second that a signed 32-bit number can express. */
const IN_2038 = Date.parse('2038-01-19T03:14:07Z');

/** The behavior of every vault: the real adapter on Key Vault and the one in memory. */
export function describeVault(start: () => Promise<VaultSide>): void {
  async function startProcess() {
    const side = await start();
    return { ...side, vault: side.process() };
  }

  describe('a secret', () => {
    it('keeps the tags and properties with which it was written', async () => {
      const { vault } = await startProcess();
      const times = {
        notBefore: Date.parse('2026-01-01T00:00:00Z'),
        expiresAt: Date.parse('2026-03-01T00:00:00Z'),
      };
      const written = await vault.put('token', 'value', { tags: TAGS, contentType: 'text/x', ...times });
      expect(written.tags).toEqual(TAGS);
      const properties = { contentType: 'text/x', ...times };
      expect(await vault.get('token')).toEqual({ ...written, value: 'value', properties });
    });

    it('gets another expiration date with its tags, without a new version', async () => {
      const { vault } = await startProcess();
      const expiresAt = Date.parse('2026-03-01T00:00:00Z');
      const { version } = await vault.put('token', 'value', { tags: {}, contentType: 'text/x', expiresAt });
      await vault.tag('token', version, TAGS);
      expect((await vault.get('token'))?.properties).toEqual({ contentType: 'text/x', expiresAt });
      await vault.tag('token', version, TAGS, expiresAt + 86_400_000);
      const changed = await vault.get('token');
      expect(changed).toMatchObject({ version, tags: TAGS });
      expect(changed?.properties).toEqual({ contentType: 'text/x', expiresAt: expiresAt + 86_400_000 });
    });

    it('has no tags and properties if it was written without any', async () => {
      const { vault } = await startProcess();
      const written = await vault.put('token', 'value', { tags: {} });
      expect(await vault.get('token')).toEqual({ ...written, value: 'value', tags: {}, properties: {} });
    });

    it.each(['', ' \r\n', 'ü 🔑 "\\', '\u0001'])('keeps the value %j exactly', async (value) => {
      const { vault } = await startProcess();
      await vault.put('token', value, { tags: {} });
      expect((await vault.get('token'))?.value).toBe(value);
    });

    it('gets a new version with each write, and the older ones stay readable', async () => {
      const { vault } = await startProcess();
      const first = await vault.put('token', 'one', { tags: TAGS });
      const second = await vault.put('token', 'two', { tags: {} });
      expect(second.version).not.toBe(first.version);
      expect(await vault.get('token', first.version)).toMatchObject({ ...first, value: 'one' });
      expect(await vault.get('token')).toMatchObject({ ...second, value: 'two' });
    });

    it('is not found by an unknown name or an unknown version', async () => {
      const { vault } = await startProcess();
      expect(await vault.get('token')).toBeUndefined();
      await vault.put('token', 'value', { tags: {} });
      expect(await vault.get('token', UNKNOWN_VERSION)).toBeUndefined();
    });

    it('is found in any case of its name', async () => {
      const { vault } = await startProcess();
      const { version } = await vault.put('Token', 'one', { tags: {} });
      expect((await vault.get('tOKEN', version))?.value).toBe('one');
      await vault.put('token', 'two', { tags: {} });
      expect((await vault.get('TOKEN'))?.value).toBe('two');
      await vault.tag('TOKEN', version, TAGS);
      await vault.disable('TOKEN', version);
      expect(await vault.versions('token')).toHaveLength(2);
      expect(await vault.versions('TOKEN')).toContainEqual(
        expect.objectContaining({ version, tags: TAGS, enabled: false }),
      );
    });

    it('has its times in whole seconds', async () => {
      const { vault, now } = await startProcess();
      const second = Math.floor(now / 1000) * 1000;
      expect(second).not.toBe(now);
      const times = { notBefore: second + 1_001, expiresAt: second + 2_999 };
      expect(await vault.put('token', 'value', { tags: {}, ...times })).toMatchObject({ createdAt: second });
      expect(await vault.get('token')).toMatchObject({
        createdAt: second,
        properties: { notBefore: second + 1_000, expiresAt: second + 2_000 },
      });
    });

    it('expires in 2038 at the latest: the client counts in 32 bits', async () => {
      const { vault } = await startProcess();
      await vault.put('token', 'value', { tags: {}, expiresAt: Date.parse('2050-01-01T00:00:00Z') });
      expect((await vault.get('token'))?.properties.expiresAt).toBe(IN_2038);
    });

    it('is readable after it expires and before it is valid', async () => {
      const { vault, now } = await startProcess();
      await vault.put('expired', 'one', { tags: {}, expiresAt: now - 60_000 });
      await vault.put('early', 'two', { tags: {}, notBefore: now + 60_000 });
      expect((await vault.get('expired'))?.value).toBe('one');
      expect((await vault.get('early'))?.value).toBe('two');
    });
  });

  describe('a vault refuses', () => {
    it.each([
      ['a value of 25,601 bytes', 'x'.repeat(25_601), {}],
      ['a value of few characters and too many bytes', 'é'.repeat(12_801), {}],
      ['a content type of 256 characters', 'value', { contentType: 'x'.repeat(256) }],
      ['16 tags', 'value', { tags: tagsOf(16) }],
      ['a tag name of 513 characters', 'value', { tags: { ['x'.repeat(513)]: '' } }],
      ['a tag value of 513 characters', 'value', { tags: { tag: 'x'.repeat(513) } }],
    ])('%s, and stores nothing', async (_, value, properties) => {
      const { vault } = await startProcess();
      expect(await codeOf(vault.put('token', value, { tags: {}, ...properties }))).toBe('vault_rejected');
      expect(await vault.get('token')).toBeUndefined();
    });

    it('16 tags on an existing version, which keeps its own tags', async () => {
      const { vault } = await startProcess();
      const { version } = await vault.put('token', 'value', { tags: TAGS });
      expect(await codeOf(vault.tag('token', version, tagsOf(16)))).toBe('vault_rejected');
      expect((await vault.get('token'))?.tags).toEqual(TAGS);
    });

    it.each(['', '..', 'a/b', 'a_b', 'a b', 'ä', 'n'.repeat(128)])('the name %j', async (name) => {
      const { vault } = await startProcess();
      const calls = [
        vault.get(name),
        vault.put(name, 'value', { tags: {} }),
        vault.tag(name, UNKNOWN_VERSION, {}),
        vault.disable(name, UNKNOWN_VERSION),
        vault.versions(name),
      ];
      for (const call of calls) expect(await codeOf(call)).toBe('vault_rejected');
    });

    it.each(['', '..', 'a/b', 'n'.repeat(65)])('the version %j', async (version) => {
      const { vault } = await startProcess();
      await vault.put('token', 'value', { tags: {} });
      const calls = [
        vault.get('token', version),
        vault.tag('token', version, {}),
        vault.disable('token', version),
      ];
      for (const call of calls) expect(await codeOf(call)).toBe('vault_rejected');
    });

    it('to change an unknown version or a version of an unknown secret', async () => {
      const { vault } = await startProcess();
      await vault.put('token', 'value', { tags: {} });
      for (const name of ['token', 'unknown']) {
        expect(await codeOf(vault.tag(name, UNKNOWN_VERSION, {}))).toBe('vault_rejected');
        expect(await codeOf(vault.disable(name, UNKNOWN_VERSION))).toBe('vault_rejected');
      }
    });
  });

  it.each<[string, Partial<Secret['properties'] & { name: string; value: string; tags: Tags }>]>([
    ['a value of 25,600 bytes', { value: 'é'.repeat(12_800) }],
    ['a content type of 255 characters', { contentType: 'x'.repeat(255) }],
    ['15 tags of 512 and 512 characters', { tags: tagsOf(15) }],
    ['a name of 127 characters', { name: `${'n'.repeat(125)}-9` }],
  ])('a vault accepts %s', async (_, { name = 'token', value = 'value', tags = {}, ...properties }) => {
    const { vault } = await startProcess();
    await vault.put(name, value, { tags, ...properties });
    expect(await vault.get(name)).toMatchObject({ value, tags, properties });
  });

  describe('a change of one version', () => {
    it('replaces all of its tags, keeps everything else and creates no version', async () => {
      const { vault } = await startProcess();
      const properties = { contentType: 'text/x', expiresAt: Date.parse('2026-03-01T00:00:00Z') };
      const written = await vault.put('token', 'value', { tags: TAGS, ...properties });
      await vault.tag('token', written.version, { only: 'this' });
      const changed = { ...written, tags: { only: 'this' } };
      expect(await vault.get('token')).toEqual({ ...changed, value: 'value', properties });
      expect(await vault.versions('token')).toEqual([changed]);
    });

    it('can change an older version, and does not affect the latest', async () => {
      const { vault } = await startProcess();
      const first = await vault.put('token', 'one', { tags: {} });
      const second = await vault.put('token', 'two', { tags: {} });
      await vault.tag('token', first.version, TAGS);
      expect((await vault.get('token', first.version))?.tags).toEqual(TAGS);
      expect(await vault.get('token')).toMatchObject(second);
    });

    it('shows that it was changed, unless that happened in the second in which it was written', async () => {
      const { vault, passSecond } = await startProcess();
      const { version } = await vault.put('token', 'one', { tags: {} });
      await vault.tag('token', version, TAGS);
      expect((await vault.get('token'))?.isChanged).toBeUndefined();
      passSecond();
      await vault.tag('token', version, TAGS);
      await vault.put('token', 'two', { tags: {} });
      expect(await vault.get('token', version)).toMatchObject({ isChanged: true });
      const listed = await vault.versions('token');
      expect(listed.map((each) => [each.version === version, each.isChanged])).toEqual(
        expect.arrayContaining([
          [true, true],
          [false, undefined],
        ]),
      );
    });

    it('can disable it: it cannot be read, and the list shows it with its tags', async () => {
      const { vault } = await startProcess();
      const first = await vault.put('token', 'one', { tags: TAGS });
      const second = await vault.put('token', 'two', { tags: {} });
      await vault.disable('token', first.version);
      expect(await codeOf(vault.get('token', first.version))).toBe('secret_disabled');
      expect((await vault.get('token'))?.value).toBe('two');
      expect(byVersion(await vault.versions('token'))).toEqual(
        byVersion([{ ...first, enabled: false }, second]),
      );
    });

    it('can enable it again', async () => {
      const { vault } = await startProcess();
      const { version } = await vault.put('token', 'value', { tags: TAGS });
      await vault.disable('token', version);
      await vault.enable('token', version);
      expect(await vault.get('token')).toMatchObject({ value: 'value', version, tags: TAGS });
      expect(await codeOf(vault.enable('token', UNKNOWN_VERSION))).toBe('vault_rejected');
    });

    it('that disables the latest does not make an older version readable in its place', async () => {
      const { vault } = await startProcess();
      await vault.put('token', 'one', { tags: {} });
      const { version } = await vault.put('token', 'two', { tags: {} });
      await vault.disable('token', version);
      expect(await codeOf(vault.get('token'))).toBe('secret_disabled');
    });

    it('is possible while it is disabled, and an operator can enable it again', async () => {
      const { vault, operator } = await startProcess();
      const { version } = await vault.put('token', 'value', { tags: {}, enabled: false });
      await vault.tag('token', version, TAGS);
      expect(await vault.versions('token')).toMatchObject([{ version, tags: TAGS, enabled: false }]);
      await operator.enable('token', version);
      expect(await vault.get('token')).toMatchObject({ value: 'value', tags: TAGS });
      expect((await vault.versions('token'))[0]).not.toHaveProperty('enabled');
    });
  });

  it('reports that a version is disabled if it was written as disabled', async () => {
    const { vault } = await startProcess();
    const written = await vault.put('token', 'value', { tags: TAGS, enabled: false });
    expect(written).toMatchObject({ tags: TAGS, enabled: false });
    expect(await vault.versions('token')).toEqual([written]);
    expect(await codeOf(vault.get('token'))).toBe('secret_disabled');
  });

  describe('a listing of versions', () => {
    it('has all of them from any number of pages, not in order of time and without values', async () => {
      const { vault } = await startProcess();
      const written: string[] = [];
      for (let index = 0; index < 60; index++)
        written.push((await vault.put('token', `value ${index}`, { tags: {} })).version);
      await vault.put('token-other', 'another secret', { tags: {} });
      const listed = await vault.versions('token');
      const versions = listed.map(({ version }) => version);
      expect(versions.toSorted()).toEqual(written.toSorted());
      expect(versions).not.toEqual(written);
      expect(versions).not.toEqual(written.toReversed());
      expect(JSON.stringify(listed)).not.toContain('value ');
    });

    it('is empty if there is no such secret', async () => {
      expect(await (await startProcess()).vault.versions('token')).toEqual([]);
    });
  });

  describe('a deleted secret', () => {
    it('is not found, and its versions cannot be changed', async () => {
      const { vault, operator } = await startProcess();
      const { version } = await vault.put('Token', 'value', { tags: {} });
      await operator.delete('token');
      expect(await vault.get('token')).toBeUndefined();
      expect(await vault.get('token', version)).toBeUndefined();
      expect(await vault.versions('token')).toEqual([]);
      expect(await codeOf(vault.tag('token', version, {}))).toBe('vault_rejected');
      expect(await codeOf(vault.disable('token', version))).toBe('vault_rejected');
    });

    it('keeps its name: nothing can be written there', async () => {
      const { vault, operator } = await startProcess();
      await vault.put('Token', 'value', { tags: {} });
      await operator.delete('token');
      expect(await codeOf(vault.put('token', 'value', { tags: {} }))).toBe('secret_soft_deleted');
    });

    it('has all its versions again after it was recovered', async () => {
      const { vault, operator } = await startProcess();
      const first = await vault.put('token', 'one', { tags: TAGS });
      await vault.put('token', 'two', { tags: {} });
      await operator.delete('token');
      await operator.recover('token');
      expect((await vault.get('token'))?.value).toBe('two');
      expect(await vault.get('token', first.version)).toMatchObject({ ...first, value: 'one' });
      expect(await vault.versions('token')).toHaveLength(2);
    });
  });

  describe('a value that is written again with skipIdentical', () => {
    const published = { tags: TAGS, contentType: 'text/x', skipIdentical: true };

    it('creates no version if this process wrote it last, and gets the new tags and times', async () => {
      const { vault } = await startProcess();
      const expiresAt = Date.parse('2026-03-01T00:00:00Z');
      const first = await vault.put('Token', 'value', { ...published, expiresAt });
      const { skipIdentical } = published;
      const again = await vault.put('token', 'value', {
        skipIdentical,
        tags: { new: 'tags' },
        expiresAt: expiresAt + 60_000,
      });
      expect(again).toEqual({ ...first, tags: { new: 'tags' }, expiresAt: expiresAt + 60_000 });
      expect(await vault.versions('token')).toEqual([again]);
      const properties = { contentType: 'text/x', expiresAt: expiresAt + 60_000 };
      expect(await vault.get('token')).toEqual({ ...again, value: 'value', properties });
    });

    it('creates a version if either write was without skipIdentical', async () => {
      const { vault } = await startProcess();
      const plain = { tags: TAGS };
      await vault.put('token', 'value', plain);
      await vault.put('token', 'value', published);
      await vault.put('token', 'value', plain);
      expect(await vault.versions('token')).toHaveLength(3);
    });

    it('creates a version if another process wrote it', async () => {
      const { vault, process } = await startProcess();
      await vault.put('token', 'value', published);
      await process().put('token', 'value', published);
      expect(await vault.versions('token')).toHaveLength(2);
    });

    it('creates a version if this process has written another value since', async () => {
      const { vault } = await startProcess();
      for (const value of ['one', 'two', 'one']) await vault.put('token', value, published);
      expect(await vault.versions('token')).toHaveLength(3);
      expect((await vault.get('token'))?.value).toBe('one');
    });

    it('creates a version if an operator has set another value since', async () => {
      const { vault, operator } = await startProcess();
      await vault.put('token', 'value', published);
      await operator.set('token', 'of an operator');
      await vault.put('token', 'value', published);
      expect(await vault.versions('token')).toHaveLength(3);
      expect((await vault.get('token'))?.value).toBe('value');
    });

    it('creates a readable version if its own was disabled', async () => {
      const { vault } = await startProcess();
      const first = await vault.put('token', 'value', published);
      await vault.disable('token', first.version);
      const second = await vault.put('token', 'value', published);
      expect(await vault.get('token')).toMatchObject({ ...second, value: 'value' });
      expect(await vault.versions('token')).toHaveLength(2);
    });

    it('creates a version if the response to another write was lost in between', async () => {
      const { vault, loseNextResponse } = await startProcess();
      await vault.put('token', 'one', published);
      loseNextResponse();
      expect(await codeOf(vault.put('token', 'two', published))).toBe('vault_unavailable');
      expect((await vault.get('token'))?.value).toBe('two');
      await vault.put('token', 'one', published);
      expect((await vault.get('token'))?.value).toBe('one');
    });

    it('creates a version if the response to its own write was lost', async () => {
      const { vault, loseNextResponse } = await startProcess();
      loseNextResponse();
      expect(await codeOf(vault.put('token', 'value', published))).toBe('vault_unavailable');
      await vault.put('token', 'value', published);
      expect(await vault.versions('token')).toHaveLength(2);
    });
  });
}

/** The code of the error that a call must throw. */
async function codeOf(call: Promise<unknown>): Promise<string> {
  const thrown = await call.then(
    () => expect.fail('the call did not fail'),
    (error: unknown) => error,
  );
  return thrown instanceof RotatorError ? thrown.code : expect.fail(`not a RotatorError: ${thrown}`);
}

function byVersion(versions: readonly Pick<Secret, 'version'>[]) {
  return versions.toSorted((one, other) => (one.version < other.version ? -1 : 1));
}

function tagsOf(count: number): Record<string, string> {
  const entries = Array.from({ length: count }, (_, index) => [
    String(index).padStart(512, 'n'),
    'v'.repeat(512),
  ]);
  return Object.fromEntries(entries);
}
