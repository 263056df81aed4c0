import { expect, test } from 'vitest';
import { isSecret, masked } from '../../../lib/connectionString/mask.ts';
import { parseOdbc } from '../../../lib/connectionString/odbc.ts';
import { CLIENT_SECRET, EXAMPLE, REFRESH_TOKEN } from './support.ts';

test('secrets are masked, and nothing else changes', () => {
  const shown = masked(EXAMPLE, parseOdbc(EXAMPLE));
  expect(shown).toBe(EXAMPLE.replace(CLIENT_SECRET, '***').replace(REFRESH_TOKEN, '***'));
});

test('a quoted secret goes with its braces, an empty one is shown as it is', () => {
  const text = 'AccessToken={a;b}}c};PWD=;ClientSecret={};';
  expect(masked(text, parseOdbc(text))).toBe('AccessToken=***;PWD=;ClientSecret=***;');
});

test.each([
  'AccessToken',
  'REFRESHTOKEN',
  'ClientSecret',
  'pwd',
  'Password',
  'AuthorizationCode',
  'KeyPassword',
])('%s is a secret', (name) => expect(isSecret(name)).toBe(true));

test.each(['TokenURI', 'ClientID', 'ServiceURL', 'DRIVER', 'Scope', 'CPWDX'])('%s is none', (name) =>
  expect(isSecret(name)).toBe(false),
);
