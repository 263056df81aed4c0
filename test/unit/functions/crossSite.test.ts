import { expect, test } from 'vitest';
import { isCrossSite } from '../../../functions/crossSite.ts';

const URL_IN_AZURE = 'https://rotator.azurewebsites.net/api/rotate';
const judged = (headers: Record<string, string>, method = 'POST', url = URL_IN_AZURE) =>
  isCrossSite({ method, url, headers: new Headers(headers) as never });

test.each<[string, Record<string, string>]>([
  ['a program, which sends neither header', {}],
  ['the page of the app', { 'sec-fetch-site': 'same-origin', origin: 'https://rotator.example' }],
  ['an address that the user typed', { 'sec-fetch-site': 'none' }],
  ['the page of the app in an old browser', { origin: 'https://rotator.azurewebsites.net' }],
  ['the same behind a host name of its own', { origin: 'https://rotator.example', host: 'rotator.example' }],
])('lets pass: %s', (_, headers) => expect(judged(headers)).toBe(false));

test.each<[string, Record<string, string>]>([
  ['another site', { 'sec-fetch-site': 'cross-site' }],
  ['another host of the site', { 'sec-fetch-site': 'same-site' }],
  ['a value that does not exist yet', { 'sec-fetch-site': 'future' }],
  ['another site in an old browser', { origin: 'https://attacker.example' }],
  ['a page without an origin', { origin: 'null' }],
  ['an empty origin', { origin: '' }],
  ['a host that begins in the same way', { origin: 'https://rotator.azurewebsites.net.attacker.example' }],
  [
    'another site that knows the host',
    { 'sec-fetch-site': 'cross-site', origin: 'https://rotator.azurewebsites.net' },
  ],
])('refuses a change from %s', (_, headers) => {
  expect(judged(headers)).toBe(true);
  expect(judged(headers, 'GET')).toBe(false);
});
