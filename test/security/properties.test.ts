import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseConnections } from '../../lib/config/parseConnections.ts';
import { RotatorError } from '../../lib/errors.ts';
import { readTokenResponse } from '../../lib/oauth/readTokenResponse.ts';
import { sanitizer } from '../../lib/oauth/sanitize.ts';
import { isPlaceholder, looksLikeToken } from '../../lib/oauth/tokenText.ts';
import { CAREFUL_BEHAVIOR } from '../../lib/rotation/core/connection.ts';

const encode = (text: string, encoding: 'utf8' | 'utf16le' = 'utf8') => Buffer.from(text, encoding);
const refreshTokenIn = (bytes: Uint8Array) => readTokenResponse(bytes, CAREFUL_BEHAVIOR)?.refreshToken;

/** Any text that does not stand for none, which is more than RFC 6749 allows in a refresh token (appendix A.17). */
const token = fc
  .oneof(
    fc.string({ minLength: 1, maxLength: 200 }),
    fc.string({ unit: 'grapheme', minLength: 1, maxLength: 50 }),
  )
  .filter((text) => !isPlaceholder(text));
/** Members of a token response other than the refresh token, with arbitrary names and values. */
const rest = fc.dictionary(
  fc.oneof(
    fc.constantFrom(
      'access_token',
      'expires_in',
      'token_type',
      'scope',
      'error',
      'error_codes',
      '__proto__',
      'toJSON',
    ),
    fc.string(),
  ),
  fc.jsonValue({ maxDepth: 3 }),
);
const space = fc.string({ unit: fc.constantFrom(' ', '\n', '\r', '\t'), maxLength: 20 });

describe('the reader of token responses', () => {
  test('never loses the refresh token of a response that parses', () => {
    const layout = fc.record({
      before: space,
      after: space,
      mark: fc.boolean(),
      wide: fc.boolean(),
      first: fc.boolean(),
    });
    fc.assert(
      fc.property(token, rest, layout, (refresh_token, others, { before, after, mark, wide, first }) => {
        const { refresh_token: _, ...more } = others;
        const members = first ? { refresh_token, ...more } : { ...more, refresh_token };
        const text = `${mark ? '\ufeff' : ''}${before}${JSON.stringify(members)}${after}`;
        const response = readTokenResponse(encode(text, wide ? 'utf16le' : 'utf8'), CAREFUL_BEHAVIOR);
        // In a failed response, words about a refresh token are likelier than one.
        if (response?.error && !looksLikeToken(refresh_token)) return;
        expect(response?.refreshToken).toBe(refresh_token);
      }),
    );
  });

  test('takes the last of several, as JSON.parse does', () => {
    fc.assert(
      fc.property(token, token, (one, other) => {
        const text = `{"refresh_token":${JSON.stringify(one)},"refresh_token":${JSON.stringify(other)}}`;
        expect(refreshTokenIn(encode(text))).toBe(other);
      }),
    );
  });

  test('finds no refresh token in a response without one, whatever else is wrong', () => {
    const none = fc.oneof(
      fc.constantFrom('', null, true, 0),
      fc.double(),
      fc.array(token),
      fc.dictionary(token, token),
    );
    fc.assert(
      fc.property(rest, none, (others, refresh_token) => {
        expect(refreshTokenIn(encode(JSON.stringify({ ...others, refresh_token })))).toBeUndefined();
      }),
    );
  });

  test('never throws, and returns only values that fit into a header and a vault, for any bytes', () => {
    const bytes = fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.string({ unit: 'binary', maxLength: 300 }).map((text) => encode(text)),
      fc.jsonValue().map((value) => encode(JSON.stringify(value))),
      rest.map((members) => encode(JSON.stringify({ access_token: 'a', ...members }))),
    );
    fc.assert(
      fc.property(bytes, fc.boolean(), (body, complete) => {
        const response = readTokenResponse(body, CAREFUL_BEHAVIOR, { complete });
        if (!response) return;
        expect(response.refreshToken === undefined || response.refreshToken.length > 0).toBe(true);
        if (typeof response.accessToken === 'string') return;
        expect(response.accessToken.value).toMatch(/^[ -~]+$/);
        expect(response.accessToken.lifetimeMs).toBeGreaterThan(0);
      }),
    );
  });
});

describe('the configuration', () => {
  const context = {
    credentialVaultUrl: 'https://c.vault.example',
    tokenVaultUrl: 'https://t.vault.example',
    allowLoopbackHttp: false,
  };
  const scheme = fc.constantFrom(
    'https://',
    'http://',
    'file:///',
    'POST https://',
    'ftp://',
    'javascript:',
    '',
  );
  const address = fc.tuple(scheme, fc.string({ maxLength: 60 })).map((parts) => parts.join(''));
  const entry = fc.record(
    {
      tokenUri: fc.oneof(address, fc.webUrl(), fc.jsonValue()),
      overwrite: fc.jsonValue(),
      allowPrivateNetwork: fc.jsonValue(),
    },
    { requiredKeys: [] },
  );
  const file = fc.dictionary(
    fc.oneof(fc.constantFrom('..', 'a/b', 'a\r\nb', '__proto__', 'ok'), fc.string()),
    entry,
  );

  test('throws only its own error, and accepts no address that must not receive a secret', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          file.map((connections) => JSON.stringify({ connections })),
          fc.string(),
        ),
        (text) => {
          try {
            for (const { tokenUri, name } of parseConnections(text, context).valid) {
              expect(name).toMatch(/^[0-9A-Za-z-]{1,113}$/);
              const { protocol, username, password, hash } = new URL(tokenUri);
              expect([protocol, username, password, hash]).toEqual(['https:', '', '', '']);
            }
          } catch (thrown) {
            expect(thrown).toBeInstanceOf(RotatorError);
            expect(thrown).not.toHaveProperty('cause');
          }
        },
      ),
    );
  });
});

describe('the sanitizer', () => {
  const secret = fc.string({ unit: fc.constantFrom(...'abcXYZ019-_~.+/='), minLength: 12, maxLength: 60 });
  const noise = fc.string({ unit: 'binary', maxLength: 20 });

  test('removes every part of a secret, wherever it is in a text', () => {
    fc.assert(
      fc.property(secret, noise, noise, (value, before, after) => {
        const text = sanitizer([value])(`${before}${value}${after}`);
        expect(text).toMatch(/^[ !#-[\]-~]{0,200}$/);
        const parts = Array.from({ length: value.length - 7 }, (_, at) => value.slice(at, at + 8));
        expect(parts.filter((part) => text.includes(part) && !'[redacted]'.includes(part))).toEqual([]);
      }),
    );
  });

  test('removes tokens that it does not know', () => {
    const stranger = fc
      .uint8Array({ minLength: 24, maxLength: 64 })
      .map((bytes) => Buffer.from(bytes).toString('base64url'));
    fc.assert(
      fc.property(stranger, (value) => {
        fc.pre(/\d/.test(value) && /[a-z]/i.test(value));
        expect(sanitizer([])(`the token ${value} was used before`)).toBe(
          'the token [redacted] was used before',
        );
      }),
    );
  });
});
