import { describe, expect, test } from 'vitest';
import {
  hasDefaultLifetime,
  isManaged,
  publishedTags,
  readIntent,
  readOrigin,
  savedTags,
  tagsTakenOver,
  withExpiration,
  withIntent,
  withoutIntent,
} from '../../../lib/rotation/core/tags.ts';
import { STORE } from './world/connection.ts';

const origin = { connection: 'crm', parent: 'v1', epoch: 7, generation: 3, store: STORE };
const intent = { startedAt: Date.parse('2026-01-01T00:00:01.234Z'), epoch: 8, store: STORE };

describe('the tags of a saved refresh token', () => {
  test('give its origin', () => {
    expect(readOrigin(savedTags(origin, {}))).toEqual(origin);
    expect(isManaged(savedTags(origin, {}))).toBe(true);
  });

  test("keep an operator's tags, but no intent and no tag of a published secret", () => {
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

  test("keep as many of an operator's tags as fit, through every generation", () => {
    const operators = Object.fromEntries(Array.from({ length: 6 }, (_, index) => [`tag-${index}`, 'x']));
    const first = savedTags(origin, operators);
    // Key Vault promises no order, so our tags may come first.
    const ordered = { ...withIntent(savedTags(origin, {}), intent), ...first };
    expect(savedTags({ ...origin, parent: 'v2' }, ordered)).toEqual({ ...first, parent: 'v2' });
  });

  test('and an intent are never more than the 15 tags that Key Vault accepts', () => {
    const many = Object.fromEntries(Array.from({ length: 15 }, (_, index) => [`tag-${index}`, 'x']));
    expect(Object.keys(withIntent(savedTags(origin, many), intent))).toHaveLength(15);
  });

  test('give no origin if another tool wrote them', () => {
    expect(readOrigin({ connection: 'crm', parent: 'v1' })).toBeUndefined();
    expect(readOrigin({ 'managed-by': 'terraform' })).toBeUndefined();
  });

  test('are read as far as possible if they are damaged', () => {
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

  test('has an unknown first start if its epoch shows that it was not the first for its version', () => {
    const tags = savedTags(origin, {});
    expect(readIntent(withIntent(tags, intent))).toMatchObject({ firstStartedAt: intent.startedAt });
    expect(readIntent(withIntent(tags, { ...intent, epoch: 9 }))).toMatchObject({ firstStartedAt: 0 });
  });

  test('is undefined without a store', () => {
    expect(readIntent({ 'intent-started': new Date().toISOString() })).toBeUndefined();
  });

  test.each([{ 'intent-started': 'yesterday' }, {}])(
    'with the start %o counts as started long ago',
    (start) => {
      expect(readIntent({ 'intent-store': STORE, ...start })).toEqual({
        startedAt: 0,
        firstStartedAt: 0,
        epoch: 0,
        store: STORE,
      });
    },
  );
});

describe('the tags of a version that another record store takes over', () => {
  const foreign = savedTags({ ...origin, store: 'other.example' }, { team: 'crm' });
  test('change only in the store of the save and of the intent', () => {
    const announced = withIntent(foreign, { ...intent, store: 'other.example' });
    expect(tagsTakenOver(announced, STORE)).toEqual({ ...announced, store: STORE, 'intent-store': STORE });
    expect(tagsTakenOver(foreign, STORE)).toEqual({ ...foreign, store: STORE });
  });

  test('do not change if an operator set them', () => {
    expect(tagsTakenOver({ team: 'crm' }, STORE)).toEqual({ team: 'crm' });
  });
});

describe('the tags of a published token', () => {
  test('name its connection, generation and scope', () => {
    const token = { connection: 'crm', generation: 3, scope: 's'.repeat(600) };
    const tags = publishedTags(token);
    expect(tags).toMatchObject({ connection: 'crm', generation: '3' });
    expect(tags.scope).toHaveLength(512);
    expect(isManaged(tags)).toBe(true);
  });

  test('say that the expiration date is a default if the provider named no lifetime', () => {
    const tags = publishedTags({ connection: 'crm', generation: 3, expiresInIsDefault: true });
    expect(tags).toMatchObject({ 'expires-in': 'default' });
    expect(hasDefaultLifetime(tags)).toBe(true);
    expect(hasDefaultLifetime({ 'expires-in': 'default' })).toBe(false);
    expect(publishedTags({ connection: 'crm', generation: 4 }, tags)).not.toHaveProperty('expires-in');
  });

  test('leave room for all of its own tags', () => {
    const before = Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`team-${at}`, 'x']));
    const token = { connection: 'crm', generation: 3, scope: 's', expiresInIsDefault: true };
    expect(Object.keys(withExpiration(publishedTags(token, before), 'horizon'))).toHaveLength(15);
  });

  test('have the members that the response names, and keep those that it does not repeat', () => {
    const names = ['instance_url', 'org', 'missing'];
    const token = { connection: 'crm', generation: 3 };
    const before = { team: 'x', instance_url: 'https://old.example', org: '7' };
    const received = { instance_url: 'https://new.example', unnamed: 'y' };
    const tags = publishedTags({ ...token, members: { names, received } }, before);
    expect(tags).toEqual({ ...publishedTags(token), ...before, instance_url: 'https://new.example' });
    expect(publishedTags({ ...token, members: { names } }, tags)).toEqual(tags);
  });

  test('of a member never take the place of an operator, and never that of the rotator', () => {
    const before = Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`team-${at}`, 'x']));
    const names = ['a', 'b', 'c', 'connection'];
    const received = { a: '1', b: '2', c: '3', connection: 'other' };
    const token = { connection: 'crm', generation: 3, members: { names, received } };
    const tags = publishedTags(token, { ...before, c: '0' });
    expect(tags).toMatchObject({ 'team-8': 'x', a: '1', b: '2', connection: 'crm' });
    expect(Object.keys(withExpiration(tags, 'horizon'))).toHaveLength(15);
    const full = publishedTags({ ...token, scope: 's', expiresInIsDefault: true }, before);
    expect(full).toMatchObject({ 'team-8': 'x', connection: 'crm' });
    expect(full).not.toHaveProperty('a');
    const roomy = { ...token, members: { names: ['connection', 'a', 'c'], received } };
    expect(withExpiration(publishedTags(roomy, { team: 'x', c: '0' }), 'horizon')).toMatchObject({
      team: 'x',
      connection: 'crm',
      a: '1',
      c: '3',
      expiration: 'horizon',
    });
  });

  test('leave out a scope that the provider did not send', () => {
    expect(Object.keys(publishedTags({ connection: 'crm', generation: 0, scope: '' }))).toEqual([
      'managed-by',
      'connection',
      'generation',
    ]);
  });
});
