import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formEncode } from '../../../lib/oauth/clientAuthentication.ts';
import { sanitizer, secretsSent } from '../../../lib/oauth/sanitize.ts';

const secret = 'c4n4ry~Secret/Value+1';
const refreshToken = '0.AXcA-refresh.canary_token';
const sanitize = sanitizer(secretsSent('client-1', secret, refreshToken));

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
    'a character beyond ASCII disappears': ['caf\u00e9 \u202egnp', 'caf gnp'],
    'quotes and backslashes become harmless': ['"a\\b"', "'a/b'"],
    'a refresh token is hidden': [`token ${refreshToken} bad`, 'token [redacted] bad'],
    'a client secret is hidden': [`secret=${secret}`, 'secret=[redacted]'],
    'a form-encoded secret is hidden': [`client_secret=${formEncode(secret)}&`, 'client_secret=[redacted]&'],
    'a secret broken by control characters is hidden': [
      `${refreshToken.slice(0, 6)}\u0000${refreshToken.slice(6)}`,
      '[redacted]',
    ],
    'the first part of a secret is hidden': [
      `starts with ${refreshToken.slice(0, 12)}...`,
      'starts with [redacted]...',
    ],
    'the last part of a secret is hidden': [`ends in ${refreshToken.slice(-9)}`, 'ends in [redacted]'],
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

  test('the Authorization header that was sent is hidden', () => {
    const header = Buffer.from(`client-1:${formEncode(secret)}`).toString('base64');
    expect(sanitize(`Basic ${header}`)).toBe('Basic [redacted]');
  });

  test('a secret of characters that the sanitizer changes is hidden', () => {
    expect(sanitizer(['"a"b\\c"d"'])('it was "a"b\\c"d"')).toBe('it was [redacted]');
  });

  test('long text is cut, and a secret at the cut is still hidden', () => {
    const text = sanitize(`${'x'.repeat(185)}${refreshToken}${'y'.repeat(100_000)}`);
    expect(text).toHaveLength(200);
    expect(text).toContain('[redacted]');
    expect(text).not.toContain('0.AXc');
  });

  test('a secret of a few characters does not black out everything', () => {
    expect(sanitizer(['a', '', 'ab'])('a cab')).toBe('a cab');
  });

  test('the result has only characters of RFC 6749 section 5.2, and no eight characters of a secret', () => {
    const piece = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom(secret, refreshToken, '\u001b[1m', '\r\n'),
    );
    fc.assert(
      fc.property(fc.array(piece), (pieces) => {
        const text = sanitize(pieces.join(''));
        expect(text).toMatch(/^[ !#-[\]-~]{0,200}$/);
        const runs = Array.from({ length: refreshToken.length - 7 }, (_, at) =>
          refreshToken.slice(at, at + 8),
        );
        expect(runs.filter((run) => text.includes(run))).toEqual([]);
      }),
    );
  });
});
