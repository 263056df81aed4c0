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
