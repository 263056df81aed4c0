import { describe, expect, test } from 'vitest';
import {
  CONNECTION_NAME,
  CONNECTION_NAME_RULE,
  defaultSecretName,
  LONGEST_SECRET_NAME,
  SECRET_NAME,
  SECRET_NAME_RULE,
} from '../../lib/secretNames.ts';

const LONGEST_CONNECTION_NAME = 113;

describe.each([
  ['a secret', SECRET_NAME, LONGEST_SECRET_NAME, SECRET_NAME_RULE],
  ['a connection', CONNECTION_NAME, LONGEST_CONNECTION_NAME, CONNECTION_NAME_RULE],
])('the name of %s', (_, syntax, longest, rule) => {
  test.each(['a', 'A-1', '-', '0', 'x'.repeat(longest)])('may be %s', (name) => {
    expect(name).toMatch(syntax);
  });

  test.each(['', 'a_b', 'a b', 'a.b', '..', 'a/b', 'a\n', 'caf\u00e9', 'x'.repeat(longest + 1)])(
    'is never %j',
    (name) => {
      expect(name).not.toMatch(syntax);
    },
  );

  test('is described with its length', () => expect(rule).toContain(`1 to ${longest} `));
});

test('the default names of the longest connection are names of secrets, except that of its connection string', () => {
  const name = 'n'.repeat(LONGEST_CONNECTION_NAME);
  expect(defaultSecretName(name, 'refreshToken')).toHaveLength(LONGEST_SECRET_NAME);
  for (const secret of ['clientId', 'clientSecret', 'accessToken'] as const)
    expect(defaultSecretName(name, secret)).toMatch(SECRET_NAME);
  expect(defaultSecretName(name, 'connectionString')).not.toMatch(SECRET_NAME);
});
