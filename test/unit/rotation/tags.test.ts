import { describe, expect, test } from 'vitest';
import {
  asUnsentCopy,
  deadlineOf,
  hasDefaultLifetime,
  isMakeshift,
  isManaged,
  isOwnTag,
  isUnsentCopy,
  publishedTags,
  readIntent,
  readOrigin,
  savedTags,
  tagsTakenOver,
  withExpiration,
  withIntent,
  withoutIntent,
} from '../../../lib/rotation/core/tags.ts';
import { OTHER_STORE, STORE } from './world/connection.ts';

const origin = { connection: 'crm', parent: 'v1', epoch: 7, generation: 3, store: STORE };
const saved = () => savedTags(origin, {});
/** As many as Key Vault accepts. */
const operators = Object.fromEntries(Array.from({ length: 15 }, (_, at) => [`team-${at}`, 'x']));
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
    const six = Object.fromEntries(Object.entries(operators).slice(0, 6));
    const first = savedTags(origin, six);
    // Key Vault promises no order, so our tags may come first.
    const ordered = { ...withIntent(savedTags(origin, {}), intent), ...first };
    expect(savedTags({ ...origin, parent: 'v2' }, ordered)).toEqual({ ...first, parent: 'v2' });
  });

  test('and an intent are never more than the 15 tags that Key Vault accepts', () => {
    expect(Object.keys(withIntent(savedTags(origin, operators), intent))).toHaveLength(15);
    const invented = withExpiration(savedTags(origin, operators), 'horizon');
    expect(Object.keys(withIntent(invented, intent))).toHaveLength(15);
    expect(readOrigin(invented)).toEqual(origin);
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

  test.each([
    ['the highest count', { generation: '1000000000' }, { generation: 1_000_000_000 }],
    ['a count that nothing reaches', { generation: '1000000001' }, { generation: 0 }],
    ['half a count', { epoch: '1.5' }, { epoch: 0 }],
    ['a version with something behind it', { parent: 'v1/../v2' }, { parent: '' }],
    ['a version with something before it', { parent: '../v1' }, { parent: '' }],
    ['the longest version', { parent: 'v'.repeat(64) }, { parent: 'v'.repeat(64) }],
    ['a version that is too long', { parent: 'v'.repeat(65) }, { parent: '' }],
  ])('are believed only if the rotator can have written them: %s', (_, forged, expected) => {
    expect(readOrigin({ ...saved(), ...forged })).toEqual({ ...origin, ...expected });
  });
});

describe('the mark of a copy that was not sent yet', () => {
  const copy = () => asUnsentCopy(saved());

  test('changes nothing else, and is found again', () => {
    expect(copy()).toEqual({ ...saved(), 'unsent-copy': 'true' });
    expect(isUnsentCopy(copy())).toBe(true);
    expect(isUnsentCopy(saved())).toBe(false);
  });

  test('counts only on a version of the rotator', () =>
    expect(isUnsentCopy(asUnsentCopy({ team: 'crm' }))).toBe(false));

  test('ends with the announcement of a token request', () => {
    expect(isUnsentCopy(withIntent(copy(), intent))).toBe(false);
    expect(withoutIntent(withIntent(copy(), intent))).toEqual(saved());
  });

  test('ends with a takeover', () =>
    expect(tagsTakenOver(copy(), OTHER_STORE)).toEqual({ ...saved(), store: OTHER_STORE }));
});

describe('an expiration date that was invented', () => {
  const policy = () => withExpiration(saved(), 'horizon');
  const makeshift = () => withExpiration(saved(), 'makeshift');

  test('is never a deadline', () => {
    expect(deadlineOf({ tags: policy(), expiresAt: 5 })).toBeUndefined();
    expect(deadlineOf({ tags: makeshift(), expiresAt: 5 })).toBeUndefined();
    expect(deadlineOf({ tags: saved(), expiresAt: 5 })).toBe(5);
    expect(deadlineOf({ tags: saved() })).toBeUndefined();
  });

  test('is forgotten when the true one is known', () => {
    const tags = { team: 'crm', ...policy() };
    expect(withExpiration(tags, undefined)).toStrictEqual({ team: 'crm', ...saved() });
  });

  test('takes the place of another one', () =>
    expect(withExpiration({ ...policy(), team: 'crm' }, 'makeshift')).toEqual({
      ...makeshift(),
      team: 'crm',
    }));

  test("shows whether the vault refused the right one, except among an operator's tags", () => {
    expect(isMakeshift(makeshift())).toBe(true);
    expect(isMakeshift(policy())).toBe(false);
    expect(isMakeshift(saved())).toBe(false);
    expect(isMakeshift({ expiration: 'makeshift' })).toBe(false);
  });
});

test.each([
  ['managed-by', true],
  ['intent-store', true],
  ['scope', true],
  ['unsent-copy', true],
  ['expiration', true],
  ['Expires_In', true],
  ['INTENT_STARTED', true],
  ['instance_url', false],
  ['scopes', false],
])('the tag %s is one of the rotator, in any spelling: %s', (name, isOwn) =>
  expect(isOwnTag(name)).toBe(isOwn),
);

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
  const foreign = savedTags({ ...origin, store: OTHER_STORE }, { team: 'crm' });
  test('change only in the store of the save and of the intent', () => {
    const announced = withIntent(foreign, { ...intent, store: OTHER_STORE });
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
    expect(hasDefaultLifetime(publishedTags({ connection: 'crm', generation: 3 }))).toBe(false);
    expect(publishedTags({ connection: 'crm', generation: 4 }, tags)).not.toHaveProperty('expires-in');
  });

  test('leave room for all of its own tags', () => {
    const token = { connection: 'crm', generation: 3, scope: 's', expiresInIsDefault: true };
    expect(Object.keys(withExpiration(publishedTags(token, operators), 'horizon'))).toHaveLength(15);
  });

  test('have the members that the response names, and keep those that it does not repeat', () => {
    const names = ['instance_url', 'org', 'missing'];
    const token = { connection: 'crm', generation: 3 };
    const before = { team: 'x', instance_url: 'https://old.example', org: '7' };
    const received = { instance_url: 'https://new.example', unnamed: 'y' };
    const tags = publishedTags({ ...token, members: { names, received } }, before);
    expect(tags).toStrictEqual({ ...publishedTags(token), ...before, instance_url: 'https://new.example' });
    expect(publishedTags({ ...token, members: { names } }, tags)).toEqual(tags);
  });

  test('of a member never take the place of an operator, and never that of the rotator', () => {
    const names = ['a', 'b', 'c', 'connection'];
    const received = { a: '1', b: '2', c: '3', connection: 'other' };
    const token = { connection: 'crm', generation: 3, members: { names, received } };
    const tags = publishedTags(token, { ...operators, c: '0' });
    expect(tags).toMatchObject({ 'team-8': 'x', a: '1', b: '2', connection: 'crm' });
    expect(Object.keys(withExpiration(tags, 'horizon'))).toHaveLength(15);
    const full = publishedTags({ ...token, scope: 's', expiresInIsDefault: true }, operators);
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
