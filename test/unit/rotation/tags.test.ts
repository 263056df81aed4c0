import { describe, expect, test } from 'vitest';
import {
  isManaged,
  publishedTags,
  readIntent,
  readOrigin,
  savedTags,
  tagsTakenOver,
  withIntent,
  withoutIntent,
} from '../../../lib/rotation/core/tags.ts';
import { STORE } from './world/connection.ts';

const origin = { connection: 'crm', parent: 'v1', epoch: 7, generation: 3, store: STORE };
const intent = { startedAt: Date.parse('2026-01-01T00:00:01.234Z'), epoch: 8, store: STORE };

describe('the tags of a saved refresh token', () => {
  test('tell where it comes from', () => {
    expect(readOrigin(savedTags(origin, {}))).toEqual(origin);
    expect(isManaged(savedTags(origin, {}))).toBe(true);
  });

  test("a person's tags live on, an intent and what is only for published secrets do not", () => {
    const parent = {
      team: 'crm',
      scope: 'all',
      ...withIntent(savedTags(origin, {}), intent),
    };
    const tags = savedTags({ ...origin, parent: 'v2' }, parent);
    expect(tags).toMatchObject({ team: 'crm', parent: 'v2' });
    expect(readIntent(tags)).toBeUndefined();
    expect(tags).not.toHaveProperty('scope');
  });

  test("as many of a person's tags as there is room for live on through every generation", () => {
    const persons = Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`tag-${index}`, 'x']));
    const first = savedTags(origin, persons);
    // Key Vault promises no order: ours may come first.
    const ordered = { ...withIntent(savedTags(origin, {}), intent), ...first };
    expect(savedTags({ ...origin, parent: 'v2' }, ordered)).toEqual({ ...first, parent: 'v2' });
  });

  test('with an intent they are never more than the 15 that Key Vault takes', () => {
    const many = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`tag-${index}`, 'x']));
    expect(Object.keys(withIntent(savedTags(origin, many), intent))).toHaveLength(15);
  });

  test('of somebody else give no origin', () => {
    expect(readOrigin({ connection: 'crm', parent: 'v1' })).toBeUndefined();
    expect(readOrigin({ 'managed-by': 'terraform' })).toBeUndefined();
  });

  test('that somebody damaged are read as far as they go', () => {
    expect(readOrigin({ 'managed-by': 'key-vault-token-rotator', epoch: '-1', generation: 'x' })).toEqual({
      connection: '',
      parent: '',
      epoch: 0,
      generation: 0,
      store: '',
    });
  });
});

describe('the intent', () => {
  test('is read as it was written, and replaces an older one', () => {
    const older = withIntent({ team: 'crm' }, { ...intent, epoch: 1 });
    expect(readIntent(withIntent(older, intent))).toMatchObject(intent);
    expect(withoutIntent(withIntent(older, intent))).toEqual({ team: 'crm' });
  });

  test('was not the first one for its version where its epoch is further on: then the first was long ago', () => {
    const tags = savedTags(origin, {});
    expect(readIntent(withIntent(tags, intent))).toMatchObject({ firstStartedAt: intent.startedAt });
    expect(readIntent(withIntent(tags, { ...intent, epoch: 9 }))).toMatchObject({ firstStartedAt: 0 });
  });

  test('is none where there is no store', () => {
    expect(readIntent({ 'intent-started': new Date().toISOString() })).toBeUndefined();
  });

  test.each([{ 'intent-started': 'yesterday' }, {}])('with the start %o counts as long ago', (start) => {
    expect(readIntent({ 'intent-store': STORE, ...start })).toEqual({
      startedAt: 0,
      firstStartedAt: 0,
      epoch: 0,
      store: STORE,
    });
  });
});

describe('tags that another record store takes over', () => {
  const foreign = savedTags({ ...origin, store: 'other.example' }, { team: 'crm' });
  test('keep all but the store of the save and of the intent', () => {
    const announced = withIntent(foreign, { ...intent, store: 'other.example' });
    expect(tagsTakenOver(announced, STORE)).toEqual({ ...announced, store: STORE, 'intent-store': STORE });
    expect(tagsTakenOver(foreign, STORE)).toEqual({ ...foreign, store: STORE });
  });

  test("stay a person's where they are a person's", () => {
    expect(tagsTakenOver({ team: 'crm' }, STORE)).toEqual({ team: 'crm' });
  });
});

describe('the tags of a published token', () => {
  test('say whose it is and what it is', () => {
    const token = { connection: 'crm', generation: 3, scope: 's'.repeat(600) };
    const tags = publishedTags(token);
    expect(tags).toMatchObject({ connection: 'crm', generation: '3' });
    expect(tags.scope).toHaveLength(512);
    expect(isManaged(tags)).toBe(true);
  });

  test('leave out what the provider did not say', () => {
    expect(Object.keys(publishedTags({ connection: 'crm', generation: 0, scope: '' }))).toEqual([
      'managed-by',
      'connection',
      'generation',
    ]);
  });
});
