import { describe, expect, test } from 'vitest';
import { Suspects } from './suspects.ts';

const [HOST, OTHER] = [1, 2];

describe('a token request that reaches the proxy after a fault of its host', () => {
  test('is suspected if its host was killed', () => {
    const suspects = new Suspects();
    suspects.strike(HOST, 'killed before the save');
    suspects.requestSent(HOST, 'crm');
    expect(suspects.explain('crm')).toBe('killed before the save');
  });

  test('is suspected while its host is frozen, but not after the host continues', () => {
    const suspects = new Suspects();
    suspects.strike(HOST, 'frozen before the save');
    suspects.requestSent(HOST, 'crm');
    suspects.resume(HOST);
    suspects.requestSent(HOST, 'erp');
    expect(suspects.explain('crm')).toBe('frozen before the save');
    expect([...suspects.strays]).toEqual(['crm']);
    expect(suspects.explain('erp')).toBeUndefined();
  });

  test('is not suspected if the fault struck another host', () => {
    const suspects = new Suspects();
    suspects.strike(OTHER, 'killed before the save');
    suspects.requestSent(HOST, 'crm');
    expect(suspects.explain('crm')).toBeUndefined();
  });
});

describe('an access token arrived late', () => {
  test('if it was on its way when its host was frozen for longer than a lease', () => {
    const suspects = new Suspects();
    suspects.publishes(HOST, 'erp', 0);
    suspects.strike(HOST, 'frozen before the save');
    suspects.resume(HOST);
    suspects.publishes(HOST, 'crm', 0);
    suspects.publishes(OTHER, 'hr', 0);
    expect(['erp', 'crm', 'hr'].filter((each) => suspects.isLate(each, Date.now()))).toEqual(['crm']);
    expect(suspects.isLate('crm', Date.now() - 60_000)).toBe(false);
  });

  test('if it was executed late, at the time of its execution', () => {
    const suspects = new Suspects();
    suspects.publishes(HOST, 'crm', 20_000);
    expect(suspects.isLate('crm', Date.now() + 20_000)).toBe(true);
    expect(suspects.isLate('crm', Date.now())).toBe(false);
  });
});
