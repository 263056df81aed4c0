import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sanitizer, secretsSent, shownError, shownMember, shownScope } from '../../../lib/oauth/sanitize.ts';

const secret = 'c4n4ry~Secret/Value+1';
const refreshToken = '0.AXcA-refresh.canary_token';
const sanitize = sanitizer(secretsSent({ clientId: 'client-1', clientSecret: secret }, refreshToken));

describe('text of a provider', () => {
  const texts: Record<string, [string, string]> = {
    'plain text stays unchanged': [
      'AADSTS700082: The token has expired.',
      'AADSTS700082: The token has expired.',
    ],
    'line ends become a space': ['a\r\nTrace ID: 1\n\tb', 'a Trace ID: 1 b'],
    'terminal colors disappear': ['\u001b[31mred\u001b[0m', 'red'],
    'a terminal title disappears': ['\u001b]0;owned\u0007text', 'text'],
    'control characters disappear': ['a\u0000b\u0008c\u007fd\u009be', 'abcde'],
    'letters of any script stay': [
      'Token ung\u00fcltig, \u0442\u043e\u043a\u0435\u043d, \u30c8\u30fc\u30af\u30f3\u306f\u7121\u52b9, \u0e42\u0e17\u0e40\u0e04\u0e47\u0e19',
      'Token ung\u00fcltig, \u0442\u043e\u043a\u0435\u043d, \u30c8\u30fc\u30af\u30f3\u306f\u7121\u52b9, \u0e42\u0e17\u0e40\u0e04\u0e47\u0e19',
    ],
    'what changes the order of characters disappears': ['caf\u00e9 \u202egnp\u2066x\u2069', 'caf\u00e9 gnpx'],
    'invisible characters disappear': ['a\u200bb\u00adc\u3164d\ufe0fe\u2060f\u{e0041}g', 'abcdefg'],
    'lone surrogates disappear': ['a\ud800b\udc00c', 'abc'],
    'heaps of combining characters shrink': [`x${'\u0316'.repeat(50)}y`, `x${'\u0316'.repeat(3)}y`],
    'other forms of a letter become the plain one': ['\uff54\uff4f\uff4b\uff45\uff4e \uff02', "token '"],
    'quotes and backslashes become harmless': ['"a\\b"', "'a/b'"],
    'any JSON Web Token is hidden': ['got eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln', 'got [redacted]'],
    'any text that looks like a token is hidden': [
      'used an-0lder.token~of/another+user_1== before',
      'used [redacted] before',
    ],
    'ids and addresses for the support team stay': [
      'Trace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333, see https://login.microsoftonline.com/error',
      'Trace ID: 0000aaaa-11bb-cccc-dd22-eeeeee333333, see https://login.microsoftonline.com/error',
    ],
  };
  test.each(Object.entries(texts))('%s', (_, [text, expected]) => {
    expect(sanitize(text)).toBe(expected);
  });

  test('long text is cut', () => {
    const text = sanitize('long '.repeat(20_000));
    expect(text).toHaveLength(200);
    expect(text).toMatch(/\.\.\.$/);
    expect(sanitize('\u{20000}'.repeat(300)).isWellFormed()).toBe(true);
  });

  test('the result has nothing that is invisible, and no eight characters of a secret', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(secret, refreshToken, '\u001b[1m', '\r\n'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = sanitize(pieces.join(''));
        expect(text).not.toMatch(/["\\\p{C}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u);
        expect(text.length).toBeLessThanOrEqual(200);
        const runs = Array.from({ length: refreshToken.length - 7 }, (_, at) =>
          refreshToken.slice(at, at + 8),
        );
        expect(runs.filter((run) => text.includes(run))).toEqual([]);
      }),
    );
  });
});

const hexOf = (text: string) => Buffer.from(text).toString('hex');
const spaced = (text: string, separator: string) => [...text].join(separator);
const each = (text: string, encode: (code: number) => string) =>
  [...text].map((character) => encode(character.charCodeAt(0))).join('');
const hex = (code: number, digits = 2) => code.toString(16).padStart(digits, '0');

/** The ways in which a provider may repeat a text. */
const encodings: Record<string, (text: string) => string> = {
  'as it is': (text) => text,
  'in capitals': (text) => text.toUpperCase(),
  'in small letters': (text) => text.toLowerCase(),
  backwards: (text) => spaced(text, '').split('').reverse().join(''),
  'form-encoded': encodeURIComponent,
  'with each character percent-encoded': (text) => each(text, (code) => `%${hex(code)}`),
  'percent-encoded twice': (text) => each(text, (code) => `%25${hex(code)}`),
  'with decimal HTML entities': (text) => each(text, (code) => `&#${code};`),
  'with hexadecimal HTML entities': (text) => each(text, (code) => `&#x${hex(code)};`),
  'with JSON escapes': (text) => each(text, (code) => `\\u${hex(code, 4)}`),
  'with hexadecimal escapes': (text) => each(text, (code) => `\\x${hex(code)}`),
  'in hex': hexOf,
  'in hex with spaces': (text) => each(text, (code) => `${hex(code)} `),
  'in hex with prefixes': (text) => each(text, (code) => `0x${hex(code)}, `),
  'in Base64': (text) => Buffer.from(text).toString('base64'),
  'in Base64 after another character': (text) => Buffer.from(`x${text}`).toString('base64'),
  'in Base64 after two other characters': (text) => Buffer.from(`xy${text}`).toString('base64'),
  'in base64url': (text) => Buffer.from(text).toString('base64url'),
  'in Base64 of UTF-16': (text) => Buffer.from(text, 'utf16le').toString('base64'),
  'in Base64 with line ends': (text) =>
    Buffer.from(text)
      .toString('base64')
      .replace(/.{4}/g, (group) => `${group}\r\n`),
  'with spaces': (text) => spaced(text, ' '),
  'with hyphens': (text) => spaced(text, '-'),
  'with commas and spaces': (text) => spaced(text, ', '),
  'with control characters': (text) => spaced(text, '\u0000'),
  'with named HTML entities': (text) => spaced(text, '&period;'),
  'with letters of another script': (text) => spaced(text, '\u0436'),
  'with various letters of another script': (text) =>
    [...text].map((character, at) => character + String.fromCharCode(0x4e00 + at)).join(''),
  'in wide characters': (text) => each(text, (code) => String.fromCharCode(code + 0xfee0)),
};

describe.each(Object.entries(encodings))('a secret %s', (_, encode) => {
  const pieces = [refreshToken, secret].flatMap((value) => [
    value,
    value.slice(0, 12),
    value.slice(-12),
    value.slice(3, 15),
  ]);
  test.each(pieces)('is not shown, whole or in part', (piece) => {
    expect(sanitize(`It was ${encode(piece)} (that one)`)).toBe('[redacted]');
    expect(sanitize(encode(piece))).toBe('[redacted]');
  });
});

test('the header Authorization that was sent is not shown', () => {
  const header = Buffer.from(`client-1:${encodeURIComponent(secret)}`).toString('base64');
  expect(sanitize(`Basic ${header}`)).toBe('[redacted]');
});

test('a secret of characters that the sanitizer changes is not shown', () => {
  expect(sanitizer(['"a"b\\c"d"'])('it was "a"b\\c"d"')).toBe('[redacted]');
});

test('a secret at the place where a text is cut is not shown', () => {
  expect(sanitize(`${'x '.repeat(95)}${refreshToken}`)).toBe('[redacted]');
});

test('of a secret with fewer than eight characters, only the whole counts', () => {
  const short = sanitizer(['k3y!x']);
  expect([short('the key is k3y!x'), short('k-3-y-!-x'), short('the key is k3y!')]).toEqual([
    '[redacted]',
    '[redacted]',
    'the key is k3y!',
  ]);
});

test('letters of another script hide no secret', () => {
  const short = sanitizer(['k3y!x', secret]);
  expect(short('k\u04363\u0437y\u0438!\u0439x')).toBe('[redacted]');
  const escaped = each(secret, (code) => `\\u\u0436${hex(code, 4)}`);
  expect(short(escaped)).toBe('[redacted]');
});

test('words that only resemble a secret stay', () => {
  const text = 'The refresh token of client-1 has expired; its secret is right.';
  expect(sanitize(text)).toBe(text);
});

test.each([
  ['a known one', 'invalid_grant', 'invalid_grant'],
  ['one with a space', 'Access Denied', 'Access Denied'],
  ['a piece of a secret', 'invalid_0.AXcA-refresh', 'an error that cannot be shown'],
  ['a piece of a secret backwards', 'hserfer-AcXA', 'an error that cannot be shown'],
  ['something longer', 'x'.repeat(61), 'an error that cannot be shown'],
  ['a character that is not allowed', 'invalid"grant', 'an error that cannot be shown'],
  ['a line end', 'invalid\ngrant', 'an error that cannot be shown'],
  ['nothing', '', 'an error that cannot be shown'],
])('an error that is %s', (_, error, shown) => {
  expect(shownError(error, sanitize)).toBe(shown);
});

describe('the scope of a response', () => {
  const secrets = [secret, refreshToken];
  test.each([
    'all',
    'openid profile',
    'https://contoso.crm.dynamics.com//.default offline_access',
    'a'.repeat(256),
  ])('is kept: %s', (scope) => expect(shownScope(scope, secrets)).toBe(scope));
  test.each([
    ['something other than text', ['all']],
    ['no text', ''],
    ['two spaces', 'a  b'],
    ['a space at the end', 'a '],
    ['a line end', 'a\nb'],
    ['quotes', 'a"b'],
    ['a character beyond ASCII', 'caf\u00e9'],
    ['more than 256 characters', 'a'.repeat(257)],
    ['a refresh token', refreshToken],
    ['a piece of a client secret', `read ${secret.slice(2, 10)}`],
    ['a client secret in hex', hexOf(secret)],
    ['a refresh token letter by letter', spaced(refreshToken, ' ')],
  ])('is left out if it has %s', (_, scope) => expect(shownScope(scope, secrets)).toBeUndefined());
});

describe('another member of a response that becomes a tag', () => {
  const secrets = [secret, refreshToken];
  test.each(['https://acme--test1.sandbox.my.crm.example/services', 'ACME Inc. "1"', 'a'.repeat(256)])(
    'is kept: %s',
    (value) => expect(shownMember(value, secrets)).toBe(value),
  );
  test.each([
    ['no text', ''],
    ['a space at the end', 'a '],
    ['a line end', 'a\nb'],
    ['a terminal color', '\u001b[31mred'],
    ['a character beyond ASCII', 'caf\u00e9'],
    ['more than 256 characters', 'a'.repeat(257)],
    ['a refresh token', `https://x.example/?t=${refreshToken}`],
    ['a piece of a client secret', `https://x.example/${secret.slice(2, 10)}`],
    ['a client secret in hex', hexOf(secret)],
    ['a refresh token letter by letter', spaced(refreshToken, '-')],
    ['a JSON Web Token of another kind', 'eyJhbGciOiJub25lIn0.eyJzdWIiOiJ4In0.c2ln'],
  ])('is left out if it has %s', (_, value) => expect(shownMember(value, secrets)).toBeUndefined());
});
