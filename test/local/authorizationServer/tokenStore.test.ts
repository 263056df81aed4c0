import { describe, expect, it } from 'vitest';
import { TokenStore } from '../../../local/authorizationServer/tokenStore.ts';
import { manualClock } from './support.ts';

const DAY = 86_400;

function storeAt(clock = manualClock(), graceSeconds = 0) {
  const store = new TokenStore({ now: clock.now, graceMs: () => graceSeconds * 1000, changed: () => {} });
  return { store, clock };
}

describe('TokenStore', () => {
  it('finds an entry until it expires', () => {
    const { store, clock } = storeAt();
    store.upsert('AccessToken', 'a', { clientId: 'app' }, 60);
    clock.advance(59.999);
    expect(store.find('AccessToken', 'a')).toEqual({ clientId: 'app' });
    clock.advance(0.001);
    expect(store.find('AccessToken', 'a')).toBeUndefined();
  });

  it('separates models and returns copies', () => {
    const { store } = storeAt();
    store.upsert('AccessToken', 'a', { amr: ['pwd'] }, 60);
    expect(store.find('RefreshToken', 'a')).toBeUndefined();
    store.find('AccessToken', 'a')?.amr?.push('changed by the caller');
    expect(store.find('AccessToken', 'a')).toEqual({ amr: ['pwd'] });
  });

  it('keeps thousands of entries without eviction', () => {
    const { store } = storeAt();
    for (let i = 0; i < 5_000; i += 1) store.upsert('RefreshToken', `r${i}`, {}, DAY);
    expect(store.find('RefreshToken', 'r0')).toBeDefined();
  });

  it('finds a session by uid', () => {
    const { store } = storeAt();
    store.upsert('Session', 's1', { uid: 'u1' }, DAY);
    expect(store.findByUid('Session', 'u1')).toEqual({ uid: 'u1' });
    expect(store.findByUid('Session', 'u2')).toBeUndefined();
  });

  it('revokes one consent with all its tokens, and nothing else', () => {
    const { store } = storeAt();
    store.upsert('Grant', 'g1', {}, DAY);
    store.upsert('AccessToken', 'a', { grantId: 'g1' }, DAY);
    store.upsert('RefreshToken', 'r', { grantId: 'g1' }, DAY);
    store.upsert('RefreshToken', 'other', { grantId: 'g2' }, DAY);
    store.revokeGrant('g1');
    expect(Object.values(store.snapshot()).flatMap(Object.keys)).toEqual(['other']);
  });

  it('applies the grace period to refresh tokens only', () => {
    const { store } = storeAt(manualClock(), 30);
    store.upsert('AuthorizationCode', 'c', {}, 60);
    store.consume('AuthorizationCode', 'c');
    expect(store.find('AuthorizationCode', 'c')).toHaveProperty('consumed');
    store.upsert('RefreshToken', 'r', {}, DAY);
    store.consume('RefreshToken', 'r');
    expect(store.find('RefreshToken', 'r')).not.toHaveProperty('consumed');
  });

  it('remembers a consumed token for hours, then forgets it, so that a long run stays small', () => {
    const { store, clock } = storeAt();
    store.upsert('RefreshToken', 'r', {}, 90 * DAY);
    store.consume('RefreshToken', 'r');
    clock.advance(5 * 3_600);
    expect(store.find('RefreshToken', 'r')).toHaveProperty('consumed');
    clock.advance(2 * 3_600);
    expect(store.snapshot().RefreshToken).toEqual({});
  });

  it('remembers every token value, including restored ones, but no session', () => {
    const { store, clock } = storeAt();
    store.upsert('AccessToken', 'a', {}, 1);
    store.upsert('Session', 's', { uid: 'u' }, DAY);
    store.upsert('RefreshToken', 'r', {}, DAY);
    clock.advance(2);
    expect([...store.issued]).toEqual(['a', 'r']);
    const options = { now: clock.now, graceMs: () => 0, changed: () => {} };
    expect([...new TokenStore(options, store.snapshot()).issued]).toEqual(['r']);
  });
});
