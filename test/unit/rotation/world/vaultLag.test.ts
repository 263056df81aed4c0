import { beforeEach, describe, expect, test } from 'vitest';
import type { SecretVault } from '../../../../lib/rotation/ports.ts';
import { World } from '../world.ts';
import { CREDENTIAL_VAULT } from './connection.ts';

const LAG_MS = 5_000;

let world: World;
let vault: SecretVault;
beforeEach(() => {
  world = new World();
  vault = world.process().ports.vault(CREDENTIAL_VAULT);
});

const put = (value: string, more = {}) => vault.put('token', value, { tags: {}, ...more });
const latestValue = async () => (await vault.get('token'))?.value;
const listed = async () => (await vault.versions('token')).map(({ version }) => version).toSorted();

test('every read shows a write immediately if no lag is set', async () => {
  const first = await put('one');
  const second = await put('two');
  expect(await latestValue()).toBe('two');
  expect(await listed()).toEqual([first.version, second.version].toSorted());
});

describe('a listing that lags', () => {
  beforeEach(() => {
    world.credentials.listingLagMs = LAG_MS;
  });

  test('shows a new version after the lag, and a GET shows it before that', async () => {
    const { version } = await put('one');
    world.clock.freeze(LAG_MS - 1);
    expect(await listed()).toEqual([]);
    expect(await latestValue()).toBe('one');
    expect((await vault.get('token', version))?.value).toBe('one');
    world.clock.freeze(1);
    expect(await listed()).toEqual([version]);
  });

  test('shows changed properties after the lag', async () => {
    const { version } = await put('one');
    world.clock.freeze(LAG_MS);
    await vault.tag('token', version, { changed: 'first' });
    world.clock.freeze(1_000);
    await vault.disable('token', version);
    expect(await vault.versions('token')).toMatchObject([{ version, tags: {} }]);
    world.clock.freeze(LAG_MS - 1_000);
    const [shown] = await vault.versions('token');
    expect(shown).toMatchObject({ version, tags: { changed: 'first' } });
    expect(shown).not.toHaveProperty('enabled');
    world.clock.freeze(1_000);
    expect(await vault.versions('token')).toMatchObject([{ tags: { changed: 'first' }, enabled: false }]);
  });

  test('shows each write after the lag that was set when it was made', async () => {
    const { version: late } = await put('one');
    world.credentials.listingLagMs = 0;
    const { version } = await put('two');
    expect(await listed()).toEqual([version]);
    world.clock.freeze(LAG_MS);
    expect(await listed()).toEqual([late, version].toSorted());
  });
});

describe('a GET of the latest version that lags', () => {
  beforeEach(() => {
    world.credentials.latestLagMs = LAG_MS;
  });

  test('returns the version before the write until the lag is over, and a listing has both', async () => {
    await put('one');
    expect(await latestValue()).toBeUndefined();
    world.clock.freeze(LAG_MS);
    const { version } = await put('two');
    expect(await latestValue()).toBe('one');
    expect(await listed()).toContain(version);
    expect((await vault.get('token', version))?.value).toBe('two');
    world.clock.freeze(LAG_MS);
    expect(await latestValue()).toBe('two');
  });

  test('returns a disabled version with its former tags', async () => {
    const { version } = await put('one');
    world.clock.freeze(LAG_MS);
    await vault.tag('token', version, { changed: 'tags' });
    await vault.disable('token', version);
    expect(await vault.get('token')).toMatchObject({ value: 'one', tags: {} });
    world.clock.freeze(LAG_MS);
    await expect(vault.get('token')).rejects.toMatchObject({ code: 'secret_disabled' });
  });

  test('makes a process update a version that is no longer the latest', async () => {
    const published = { skipIdentical: true };
    const { version } = await put('one', published);
    world.clock.freeze(LAG_MS);
    world.credentials.set('token', 'of an operator');
    expect(await put('one', published)).toMatchObject({ version });
    expect(world.credentials.latest('token')?.value).toBe('of an operator');
  });

  test('does not change what a test finds in the vault', async () => {
    const { version } = await put('one');
    expect(world.credentials.latest('token')?.version).toBe(version);
    expect(world.credentials.history('token')).toHaveLength(1);
  });
});
