import { describe, expect, test } from 'vitest';
import { Suspects } from './suspects.ts';

const [HOST, OTHER] = [1, 2];

describe('a grant that reaches the proxy after its host was struck', () => {
  test('may be lost with a host that was killed', () => {
    const suspects = new Suspects();
    suspects.strike(HOST, 'killed before the save');
    suspects.requestSent(HOST, 'crm');
    expect(suspects.explain('crm')).toBe('killed before the save');
  });

  test('may be repeated while its host stands still, and is as any other when it goes on', () => {
    const suspects = new Suspects();
    suspects.strike(HOST, 'frozen before the save');
    suspects.requestSent(HOST, 'crm');
    suspects.goesOn(HOST);
    suspects.requestSent(HOST, 'erp');
    expect(suspects.explain('crm')).toBe('frozen before the save');
    expect([...suspects.strays]).toEqual(['crm']);
    expect(suspects.explain('erp')).toBeUndefined();
  });

  test('is not suspected where another host was struck', () => {
    const suspects = new Suspects();
    suspects.strike(OTHER, 'killed before the save');
    suspects.requestSent(HOST, 'crm');
    expect(suspects.explain('crm')).toBeUndefined();
  });
});
