import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readTokenResponse } from '../../../lib/oauth/readTokenResponse.ts';
import { CAREFUL_BEHAVIOR } from '../../../lib/rotation/core/connection.ts';
import type { IssuedAccessToken } from '../../../lib/rotation/core/tokenRequest.ts';
import { bytesOf } from './support.ts';

const HOUR = 3_600_000;
const HOURLY = { ...CAREFUL_BEHAVIOR, defaultExpiresInMs: HOUR };
const read = (body: unknown, complete = true) => readTokenResponse(bytesOf(body), HOURLY, complete);
const good = { access_token: 'a', refresh_token: 'r', token_type: 'Bearer', expires_in: 60 };

function accessTokenOf(members: object): IssuedAccessToken | string | undefined {
  return read({ ...good, ...members })?.accessToken;
}

describe('a successful response', () => {
  test('has both tokens', () => {
    expect(read({ ...good, scope: 's' })).toEqual({
      refreshToken: 'r',
      accessToken: {
        value: 'a',
        scope: 's',
        lifetimeMs: 60_000,
        expiresInIsDefault: false,
      },
      tokens: ['r', 'a'],
    });
  });

  test('has no refresh token if the body has none', () => {
    expect(read({ access_token: 'a' })).not.toHaveProperty('refreshToken');
  });

  test('may be form-encoded', () => {
    expect(
      read('access_token=a&expires_in=60&refresh_token=r%2B1&scope=x+y&token_type=bearer\n'),
    ).toMatchObject({
      refreshToken: 'r+1',
      accessToken: { value: 'a', lifetimeMs: 60_000, scope: 'x y' },
    });
    expect(read('error=bad_refresh_token&error_description=x')?.error?.code).toBe('bad_refresh_token');
  });
});

describe('a refresh token is kept', () => {
  const rest = JSON.stringify({ refresh_token: 'r' }).slice(1);
  const kept: Record<string, unknown> = {
    'next to an error': { refresh_token: 'r', error: 'invalid_grant' },
    'without an access token': { refresh_token: 'r' },
    'next to an access token that cannot be used': {
      refresh_token: 'r',
      access_token: 'a\r\nb',
      token_type: 'mac',
    },
    'after a byte order mark': `\ufeff{${rest}`,
    'with white space around it': `\r\n {${rest} \n`,
    'as the last of two members': `{"refresh_token":"old",${rest}`,
    'next to __proto__': `{"__proto__":{"refresh_token":"evil"},${rest}`,
    'next to 100,000 levels of arrays': `{"x":${'['.repeat(100_000)}${']'.repeat(100_000)},${rest}`,
    'next to a lone surrogate': `{"scope":"\\ud800",${rest}`,
    'next to bytes that are not valid UTF-8': Buffer.concat([
      Buffer.from('{"scope":"'),
      Buffer.from([0xe9, 0xff]),
      Buffer.from(`",${rest}`),
    ]),
    'in UTF-16': Buffer.from(`\ufeff{${rest}`, 'utf16le'),
    'in UTF-16 without a byte order mark': Buffer.from(`{${rest}`, 'utf16le'),
    'in big-endian UTF-16': Buffer.from(`\ufeff{${rest}`, 'utf16le').swap16(),
  };
  test.each(Object.entries(kept))('%s', (_, body) => {
    const bytes = body instanceof Uint8Array ? body : bytesOf(body);
    expect(readTokenResponse(bytes, HOURLY)?.refreshToken).toBe('r');
  });

  test('verbatim', () => {
    const strange = ' r\u0000\r\n\ud800\ufffd\u00e9 ';
    expect(read({ refresh_token: strange })?.refreshToken).toBe(strange);
  });
});

describe('there is no refresh token', () => {
  const none: Record<string, unknown> = {
    'in an empty string': { refresh_token: '' },
    'in null': { refresh_token: null },
    'in a number': { refresh_token: 5 },
    'in an object': { refresh_token: { value: 'r' } },
    'in a prototype': '{"__proto__":{"refresh_token":"r"}}',
    'in an array': [{ refresh_token: 'r' }],
    'in a string that contains a token response': JSON.stringify(JSON.stringify(good)),
    'if the last of two members is empty': '{"refresh_token":"r","refresh_token":""}',
  };
  test.each(Object.entries(none))('%s', (_, body) => {
    expect(read(body)?.refreshToken).toBeUndefined();
  });

  test('in a member that every object inherits', () => {
    const everyObject = Object.prototype as { refresh_token?: string };
    everyObject.refresh_token = 'r';
    onTestFinished(() => {
      delete everyObject.refresh_token;
    });
    expect(read({ access_token: 'a' })?.refreshToken).toBeUndefined();
  });

  test('in a token that lost bytes, because it would replace one that works', () => {
    const body = Buffer.concat([Buffer.from('{"refresh_token":"r'), Buffer.from([0xff]), Buffer.from('"}')]);
    expect(readTokenResponse(body, HOURLY)).toBeDefined();
    expect(readTokenResponse(body, HOURLY)?.refreshToken).toBeUndefined();
  });

  test.each(['', '<html>a=b</html>', '<p>error=x', '5', 'null', '[]', '{"a":', 'hello', 'a=b&c=d'])(
    'in %j, which is not a token response',
    (body) => {
      expect(read(body)).toBeUndefined();
    },
  );

  test('in a form that may have been cut off', () => {
    expect(read('access_token=a&refresh_token=r', false)).toBeUndefined();
    expect(read(good, false)?.refreshToken).toBe('r');
  });
});

describe('an access token cannot be used', () => {
  const unusable: Record<string, [object, string]> = {
    'if it is missing': [{ access_token: undefined }, 'no access token'],
    'if it is empty': [{ access_token: '' }, 'no access token'],
    'if it is null': [{ access_token: null }, 'no access token'],
    'if it is a number': [{ access_token: 5 }, 'not a string'],
    'with a line end': [{ access_token: 'a\r\nX-Evil: 1' }, 'not allowed in a header'],
    'with a line end after it': [{ access_token: 'a\n' }, 'not allowed in a header'],
    'with a NUL': [{ access_token: 'a\u0000' }, 'not allowed in a header'],
    'with a character that is not ASCII': [{ access_token: 'a\u00e9' }, 'not allowed in a header'],
    'with a space before it': [{ access_token: ' a' }, 'not allowed in a header'],
    'of the type mac': [{ token_type: 'mac' }, 'other than Bearer'],
    'of the type DPoP': [{ token_type: 'DPoP' }, 'other than Bearer'],
    'of a type that is not a string': [{ token_type: 1 }, 'other than Bearer'],
    'of an empty type': [{ token_type: '' }, 'other than Bearer'],
  };
  test.each(Object.entries(unusable))('%s', (_, [members, why]) => {
    expect(accessTokenOf(members)).toEqual(expect.stringContaining(why));
  });

  test.each(['Bearer', 'bearer', 'BEARER', 'BearerToken', undefined, null])(
    'but can be used with the type %s',
    (type) => {
      expect(accessTokenOf({ token_type: type })).toMatchObject({ value: 'a' });
    },
  );
});

describe('the lifetime of an access token', () => {
  test.each([
    [3600, 3_600_000],
    ['3600', 3_600_000],
    [1.5, 1_500],
    [315_360_000, 315_360_000_000],
  ])('is read from %j', (value, lifetimeMs) => {
    expect(accessTokenOf({ expires_in: value })).toMatchObject({ lifetimeMs, expiresInIsDefault: false });
  });

  const strange = [
    undefined,
    null,
    0,
    -1,
    '-1',
    '0',
    '3600abc',
    ' 3600',
    '',
    '1e3',
    '0x10',
    'Infinity',
    1e300,
    true,
    [60],
  ];
  test.each(strange)('is the default if the response has %j', (value) => {
    expect(accessTokenOf({ expires_in: value })).toMatchObject({
      lifetimeMs: HOUR,
      expiresInIsDefault: true,
    });
  });

  test('is the default if the number in the response is too large', () => {
    expect(read('{"access_token":"a","expires_in":1e309}')?.accessToken).toMatchObject({
      expiresInIsDefault: true,
    });
  });
});

describe('the lifetime of a refresh token', () => {
  test.each([
    'refresh_token_expires_in',
    'refresh_expires_in',
    'refresh_token_expiration',
    'x_refresh_token_expires_in',
  ])('is read from %s', (name) => {
    expect(read({ ...good, [name]: 8_640 })?.refreshTokenLifetimeMs).toBe(8_640_000);
    expect(read({ ...good, [name]: '8640' })?.refreshTokenLifetimeMs).toBe(8_640_000);
  });

  test.each([0, -1, 'never', null, 1e12])('is unknown if the response has %j', (value) => {
    expect(read({ ...good, refresh_expires_in: value })).not.toHaveProperty('refreshTokenLifetimeMs');
  });
});

describe('an error', () => {
  test('has its description and its numbers', () => {
    const body = {
      error: 'invalid_grant',
      error_description: 'd',
      error_codes: [50196, 'x', null, 1.5, -1, 12345678],
    };
    expect(read(body)?.error).toEqual({ code: 'invalid_grant', description: 'd', numbers: [50196] });
  });

  test('is present even if it is not a string', () => {
    expect(read({ ...good, error: { code: 1 }, error_description: 5, error_codes: 7 })?.error).toEqual({
      code: undefined,
      description: undefined,
      numbers: [],
    });
  });

  test.each([null, '', false, undefined])('is absent if its member is %j', (error) => {
    expect(read({ ...good, error })).not.toHaveProperty('error');
  });
});

describe('any body', () => {
  test('can be read without an exception', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (body) => void readTokenResponse(body, HOURLY)));
    fc.assert(fc.property(fc.json(), (body) => void read(body)));
  });

  test('has a refresh token if the response has one', () => {
    const token = fc.string({ minLength: 1, unit: fc.nat(0xffff).map((unit) => String.fromCharCode(unit)) });
    const encoding = fc.constantFrom<BufferEncoding>('utf8', 'utf16le');
    const others = fc.dictionary(
      fc.oneof(
        fc.string(),
        fc.constantFrom('error', 'access_token', 'token_type', 'expires_in', '__proto__'),
      ),
      fc.jsonValue(),
    );
    fc.assert(
      fc.property(token, others, encoding, fc.boolean(), (refreshToken, rest, form, mark) => {
        // JSON.stringify escapes what no encoding could carry.
        const json = `${mark ? '\ufeff' : ''}${JSON.stringify({ ...rest, refresh_token: refreshToken })}`;
        expect(readTokenResponse(Buffer.from(json, form), HOURLY)?.refreshToken).toBe(refreshToken);
      }),
    );
  });
});
