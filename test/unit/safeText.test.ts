import { describe, expect, test } from 'vitest';
import { safeCode, safeCodeOf, safeKey, safeName } from '../../lib/safeText.ts';

const LINE_ENDS = ['code\n', '\ncode', 'co\u2028de'];

describe('the code of an error', () => {
  test.each(['ECONNREFUSED', 'ForbiddenByRbac', 'x', 'a'.repeat(64)])('is shown: %s', (code) => {
    expect(safeCode(code)).toBe(code);
  });

  test.each([
    '',
    'a'.repeat(65),
    'Bearer eyJ0',
    'eyJhbGci.eyJzdWIi',
    'client-secret',
    'caf\u00e9',
    '\u001b[31m',
    ...LINE_ENDS,
  ])('is not shown: %j', (code) => {
    expect(safeCode(code)).toBeUndefined();
  });

  test.each([undefined, null, 7, {}, ['ECODE']])('is not shown if it is %j', (code) => {
    expect(safeCode(code)).toBeUndefined();
  });
});

test.each([
  [Object.assign(new Error('secret'), { code: 'ENOENT' }), 'ENOENT'],
  [{ code: 'Bearer x' }, undefined],
  [new Error('secret'), undefined],
  ['ECODE', undefined],
  [null, undefined],
  [undefined, undefined],
])('of the thrown value %j, only the code is shown', (thrown, code) => {
  expect(safeCodeOf(thrown)).toBe(code);
});

describe('an unknown key', () => {
  test.each(['clientSecrett', 'client_secret', '$schema', '@type', 'a.b-c', 'k'.repeat(40)])(
    'is shown: %s',
    (key) => {
      expect(safeKey(key)).toBe(key);
    },
  );

  test.each(['', '1.AXcA-token', 'k'.repeat(41), 'two words', 'a/b', 'caf\u00e9', ...LINE_ENDS])(
    'is not shown: %j',
    (key) => {
      expect(safeKey(key)).toBeUndefined();
    },
  );
});

test.each([
  ['crm-prod', 'crm-prod'],
  ['', '(empty)'],
  ['my crm', 'my?crm'],
  ['a\r\nb\u001b[31m', 'a??b?[31m'],
  ['caf\u00e9', 'caf?'],
  ['n'.repeat(127), 'n'.repeat(127)],
  ['n'.repeat(128), `${'n'.repeat(127)}...`],
])('the name %j is shown as %s', (name, shown) => {
  expect(safeName(name)).toBe(shown);
});
