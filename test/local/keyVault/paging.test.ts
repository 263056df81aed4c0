import { describe, expect, it } from 'vitest';
import { cutPage, nextLink, readPageRequest } from '../../../local/keyVault/paging.ts';

const itself = (key: string) => key;

describe('paging', () => {
  it('neither repeats nor hides an item when others appear or disappear between two pages', () => {
    const first = cutPage(['d', 'b', 'f'], itself, { size: 2 });
    expect(first).toEqual({ items: ['b', 'd'], last: 'd' });
    const second = cutPage(['a', 'b', 'e', 'f'], itself, { size: 2, after: 'd' });
    expect(second).toEqual({ items: ['e', 'f'] });
  });

  it('returns no further page if the last one is exactly full', () => {
    expect(cutPage(['a', 'b'], itself, { size: 2 })).toEqual({ items: ['a', 'b'] });
  });

  it('reads back the link that it wrote', () => {
    const query = new URLSearchParams({ 'api-version': '7.6', maxresults: '3' });
    const link = nextLink('http://vault/secrets', query, 'last-one') ?? '';
    expect(readPageRequest(new URL(link).searchParams)).toEqual({ size: 3, after: 'last-one' });
    expect(nextLink('http://vault/secrets', query, undefined)).toBeNull();
  });
});
