import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { readTokenResponse } from '../../../lib/oauth/readTokenResponse.ts';
import { isPlaceholder, looksLikeToken } from '../../../lib/oauth/tokenText.ts';
import { CAREFUL_BEHAVIOR, type ResponseFacts } from '../../../lib/rotation/core/connection.ts';
import type { IssuedAccessToken } from '../../../lib/rotation/core/tokenRequest.ts';
import { bytesOf } from './support.ts';

const HOUR = 3_600_000;
const NOW = Date.UTC(2026, 10, 26, 10);
const HOURLY = { ...CAREFUL_BEHAVIOR, defaultExpiresInMs: HOUR };
const read = (body: unknown, complete = true) =>
  readTokenResponse(bytesOf(body), HOURLY, { complete, now: NOW });
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
      tokens: ['a', 'r'],
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
    'next to an error and an access token': {
      refresh_token: 'r',
      access_token: 'a',
      error: 'invalid_grant',
    },
    'without an access token': { refresh_token: 'r' },
    'next to an access token that cannot be used': {
      refresh_token: 'r',
      access_token: 'a\r\nb',
      token_type: 'mac',
    },
    'after a byte order mark': `\ufeff{${rest}`,
    'with white space around it': `\r\n {${rest} \n`,
    'in a list': [{ refresh_token: 'r' }],
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

  test('next to an error, if it looks like one', () => {
    const refresh_token = '0123456789abcdef';
    expect(read({ refresh_token, error: 'invalid_grant' })?.refreshToken).toBe(refresh_token);
  });

  test('verbatim', () => {
    const strange = ' r\u0000\r\n\ud800\ufffd\u00e9 ';
    expect(read({ refresh_token: strange })?.refreshToken).toBe(strange);
  });
});

describe('a whole refresh token is kept although the body is not clean', () => {
  const token = 'R2-0123456789abcdef';
  const json = JSON.stringify({ ...good, refresh_token: token });
  const start = json.slice(0, -1);
  const published: Record<string, string> = {
    'a warning of PHP before it': `<br />\n<b>Warning</b>: Undefined index in {closure}() on line <b>3</b><br />\n${json}`,
    'text after it': `${json}\n<!-- cached -->`,
    JSONP: `/**/callback(${json});`,
    'an unknown escape in a later member': `${start},"scope":"a\\qb"}`,
    'a line end in a later member': `${start},"scope":"a\nb"}`,
    'a comma before the end': `${start},}`,
    comments: `{/* "the" tokens */${start.slice(1)} // end\n}`,
    'JSON in a string': JSON.stringify(json),
    'JSON in a member': JSON.stringify({ data: json }),
  };
  test.each(Object.entries(published))('%s', (_, body) => {
    expect(read(body)).toMatchObject({ refreshToken: token, accessToken: { value: 'a' } });
  });

  test('a form with line ends', () => {
    expect(read(`access_token=a&\r\nrefresh_token=${token}\n&expires_in=60`)).toMatchObject({
      refreshToken: token,
      accessToken: { value: 'a' },
    });
  });

  const partial: Record<string, [string, boolean]> = {
    'quotes in a later member': [`${start},"message":"say "hi", please"}`, true],
    'two documents': [`${json}{"x":1}`, true],
    'text before JSON that ends early': [`Warning: odd\n${start},"sco`, false],
    'a form that ends after it': [`access_token=a&refresh_token=${token}&expires_i`, false],
  };
  test.each(Object.entries(partial))('%s, without the access token', (_, [body, complete]) => {
    const response = read(body, complete);
    expect(response).toMatchObject({ refreshToken: token, accessToken: expect.any(String) });
    expect(response).not.toHaveProperty('error');
  });

  test('a form with a plus sign that is not encoded', () => {
    expect(read('access_token=a+b&refresh_token=R+T2/x==&scope=x+y')).toMatchObject({
      refreshToken: 'R+T2/x==',
      accessToken: { value: 'a+b', scope: 'x y' },
    });
  });

  test.each([
    `{"refresh_token":"${token}"}{"refresh_token":"${token}3"}`,
    `{"refresh_token":"required"}{"x":1}`,
    `{"x":"\\"refresh_token\\":\\"${token}\\""}{"x":1}`,
    `{"previous":{"refresh_token":"${token}"}}{"x":1}`,
    `{"access_token":"a","user":{"access_token":"b","refresh_token":"${token}"}}{"x":1}`,
    `{"refresh_token":"${token}\\q",}`,
    `{"refresh_token":"${token}`,
  ])('but not guessed from %s', (body) => {
    expect(read(body)?.refreshToken).toBeUndefined();
  });

  test('and errors in a page are not believed', () => {
    expect(read('<script>x = {"error":"invalid_grant"};</script>')).toBeUndefined();
  });

  test('and a long body is read once', () => {
    const quotes = '"\\"'.repeat(200_000);
    const bodies = [`{${quotes}`, '{'.repeat(500_000), ', '.repeat(300_000), '/*'.repeat(300_000)];
    // Reading them twice for each character would take hours.
    for (const body of bodies) expect(read(body)?.refreshToken).toBeUndefined();
  });
});

describe('there is no refresh token', () => {
  const none: Record<string, unknown> = {
    'in an empty string': { refresh_token: '' },
    'in null': { refresh_token: null },
    'in a number': { refresh_token: 5 },
    'in an object': { refresh_token: { value: 'r' } },
    'in a prototype': '{"__proto__":{"refresh_token":"r"}}',
    'in a member that repeats an earlier one': {
      access_token: 'a',
      previous: { tokens: { refresh_token: 'OLDER' } },
    },
    'in a member that repeats the request': { data: { requestBody: { refresh_token: 'sent' } } },
    'beside the access token of another user': {
      access_token: 'a',
      expires_in: 20,
      user: { access_token: 'X', refresh_token: 'OTHER' },
    },
    'if the last of two members is empty': '{"refresh_token":"r","refresh_token":""}',
  };
  test.each(Object.entries(none))('%s', (_, body) => {
    expect(read(body)?.refreshToken).toBeUndefined();
  });

  test.each([
    'null',
    'undefined',
    'None',
    'N/A',
    'nil',
    ' ',
    '********',
    '****1234',
    'xxxx',
    '[REDACTED]',
    '<hidden>',
    '(null)',
    '<refresh token>',
  ])('in %j, which stands for none, and the access token is missing as well', (placeholder) => {
    const response = read({ ...good, access_token: placeholder, refresh_token: placeholder });
    expect(response).not.toHaveProperty('refreshToken');
    expect(response?.accessToken).toEqual(expect.stringContaining('no access token'));
  });

  test.each([
    'required',
    'This field is required.',
    'invalid_refresh_token',
    'RefreshTokenExpired',
    'REDACTED',
    'invalid-since-2026-11-26',
    'short1',
  ])('in %j of a failed response', (words) => {
    expect(read({ error: 'invalid_request', refresh_token: words })).not.toHaveProperty('refreshToken');
    const refused = readTokenResponse(bytesOf({ refresh_token: words }), HOURLY, { refused: true });
    expect(refused).not.toHaveProperty('refreshToken');
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
  };
  test.each(Object.entries(unusable))('%s', (_, [members, why]) => {
    expect(accessTokenOf(members)).toEqual(expect.stringContaining(why));
  });

  test.each(['Bearer', 'bearer', 'BEARER', 'BearerToken', '', undefined, null])(
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
    '3600 minutes',
    's',
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

describe('a lifetime under another name', () => {
  const inAnHour = NOW + HOUR;
  const iso = new Date(inAnHour).toISOString();
  const names = [
    'expires_at',
    'expires_on',
    'expires',
    '.expires',
    'expiresAt',
    'expiry_date',
    'access_token_expires_at',
  ];
  const moments: Readonly<Record<string, unknown>> = {
    'seconds since the epoch': inAnHour / 1_000,
    'seconds since the epoch as text': String(inAnHour / 1_000),
    'milliseconds since the epoch': inAnHour,
    'milliseconds since the epoch as text': String(inAnHour),
    'ISO 8601': iso,
    'ISO 8601 without fraction': iso.replace('.000', ''),
    'ISO 8601 with nanoseconds': iso.replace('.000', '.000000000'),
    'ISO 8601 with an offset': '2026-11-26T13:00:00+02:00',
    'ISO 8601 with a short offset': '2026-11-26T13:00:00+0200',
    'ISO 8601 without a zone': '2026-11-26T11:00:00',
    'ISO 8601 with a space': '2026-11-26 11:00:00',
    'an HTTP date': 'Thu, 26 Nov 2026 11:00:00 GMT',
    'a span in seconds': 3_600,
  };
  const cases = names.flatMap((name) =>
    Object.entries(moments).map(([form, value]) => ({ name, form, value })),
  );
  test.each(cases)('$name, $form', ({ name, value }) => {
    const accessToken = accessTokenOf({ expires_in: undefined, [name]: value });
    expect(accessToken).toMatchObject({ lifetimeMs: HOUR, expiresInIsDefault: false });
  });

  test.each([
    // The page of Zoho for its data center in China: milliseconds, and seconds beside them.
    [{ expires_in: 3_600_000, expires_in_sec: 3_600 }, HOUR],
    [{ expires_in: undefined, expiresIn: 86_400 }, 86_400_000],
    [{ expires_in: inAnHour / 1_000 }, HOUR],
    [{ expires_in: 60, expires_at: iso }, 60_000],
    [{ expires_in: 0, expires_at: iso }, HOUR],
    [{ expires_in: 'soon', expires_at: iso }, HOUR],
  ])('%j', (members, lifetimeMs) => {
    expect(accessTokenOf(members)).toMatchObject({ lifetimeMs, expiresInIsDefault: false });
  });

  test.each([
    [{ access_token_expire_in: 1_800 }, 1_800_000],
    [{ access_token_expire_in: (NOW + HOUR) / 1_000 }, HOUR],
    [{ expires_at: '2026-11-26 11:00:00 UTC' }, HOUR],
    [{ expires_at: '2026-11-26T11:00:00 GMT' }, HOUR],
    [{ expires_at: `/Date(${NOW + HOUR})/` }, HOUR],
    [{ expires_at: `/Date(${NOW + HOUR}+0100)/` }, HOUR],
    [{ expires_in: ' 1800 ' }, 1_800_000],
    [{ expires_in: '1800s' }, 1_800_000],
    [{ expires_in: '1800 seconds' }, 1_800_000],
    // A thousand times the usual hour
    [{ expires_in: 3_600_000 }, HOUR],
    [{ expires_in: 3_599_995 }, 3_599_995],
    [{ expires_in: 3_700_000 }, 3_700_000_000],
    [{ expires_in: 7_200_000 }, 7_200_000_000],
    [{ expires_in: 3_600 }, HOUR],
  ])('is read from %j', (members, lifetimeMs) => {
    const accessToken = accessTokenOf({ expires_in: undefined, ...members });
    expect(accessToken).toMatchObject({ lifetimeMs, expiresInIsDefault: false });
  });

  test.each(['/Date(soon)/', '/Date(12)/ x', '2026-11-26 11:00:00 CET', '1800m', '1800ss', '1 800'])(
    'is not guessed from %j',
    (value) => {
      const accessToken = accessTokenOf({ expires_in: undefined, expires_at: value });
      expect(accessToken).toMatchObject({ expiresInIsDefault: true });
    },
  );

  test('is read in the unit and from the member that the profile names', () => {
    const of = (response: ResponseFacts, body: object) =>
      readTokenResponse(bytesOf({ access_token: 'a', ...body }), { ...HOURLY, response }, { now: NOW })
        ?.accessToken;
    expect(of({ expiresInUnit: 'ms' }, { expires_in: 60_000 })).toMatchObject({ lifetimeMs: 60_000 });
    expect(of({ expiresInUnit: 'ms' }, { expires_at: iso })).toMatchObject({ lifetimeMs: HOUR });
    expect(of({ expiresIn: 'ttl' }, { ttl: 60, expires_in: 7 })).toMatchObject({ lifetimeMs: 60_000 });
    expect(of({ expiresIn: 'ttl' }, { expires_in: 7 })).toMatchObject({ lifetimeMs: 7_000 });
  });

  test.each([iso.replace('2026', '2025'), (NOW - 1_000) / 1_000, 'Thu, 26 Nov 2026 09:00:00 GMT', NOW])(
    'that is over makes the access token unusable, and the refresh token is kept: %j',
    (expires_at) => {
      const response = read({ ...good, expires_in: undefined, expires_at });
      expect(response).toMatchObject({
        refreshToken: 'r',
        accessToken: expect.stringContaining('already expired'),
      });
    },
  );

  test.each([
    '9999-12-31T00:00:00Z',
    '2026-13-45',
    'never',
    5e8,
    5e11,
    true,
    [inAnHour],
    { at: inAnHour },
    -1,
    '0',
  ])('is the default if it cannot be one: %j', (expires_at) => {
    const accessToken = accessTokenOf({ expires_in: undefined, expires_at });
    expect(accessToken).toMatchObject({ lifetimeMs: HOUR, expiresInIsDefault: true });
  });
});

test.each(['2026-11-26T12:00:00', '2026-11-26 09:00:00', '2026-11-27'])(
  'a moment without a zone counts only if it is within the default lifetime: %s does not',
  (expires_at) => {
    const accessToken = accessTokenOf({ expires_in: undefined, expires_at });
    expect(accessToken).toMatchObject({ lifetimeMs: HOUR, expiresInIsDefault: true });
  },
);

describe('the end of a refresh token', () => {
  test.each([
    // draft-ietf-oauth-refresh-token-expiration
    [{ refresh_token_timeout: 604_800, authorization_expires_in: 864_000 }, 604_800_000],
    [{ refresh_token_timeout: 604_800, authorization_expires_in: 86_400 }, 86_400_000],
    [{ authorization_expires_in: 864_000 }, 864_000_000],
    [{ refresh_token_expires_at: new Date(NOW + HOUR).toISOString() }, HOUR],
    [{ refreshTokenExpiresAt: NOW + HOUR }, HOUR],
    [{ refresh_expires_in: 600, refresh_token_expires_in: 0 }, 600_000],
  ])('is the earliest that the response names: %j', (members, expected) => {
    expect(read({ ...good, ...members })?.refreshTokenLifetimeMs).toBe(expected);
  });

  test('is unknown if it is in the past', () => {
    expect(read({ ...good, refresh_token_expires_at: NOW - 1 })).not.toHaveProperty('refreshTokenLifetimeMs');
  });
});

describe('tokens in another place', () => {
  const nested = { ...good, expires_in: 60, refresh_token_expires_in: 600 };
  const granted = {
    refreshToken: 'r',
    refreshTokenLifetimeMs: 600_000,
    accessToken: { value: 'a', lifetimeMs: 60_000 },
  };
  const places: Readonly<Record<string, unknown>> = {
    'below data [TikTok for Business]': { code: 0, message: 'OK', request_id: '1', data: nested },
    'below body [Withings]': { status: 0, body: { userid: '1', ...nested } },
    'in a list of one [OneLogin]': { status: { error: false, code: 200, type: 'success' }, data: [nested] },
    'in a list that is the response': [nested],
    'below authed_user [Slack]': {
      ok: true,
      team: { id: 'T1' },
      authed_user: { id: 'U1', ...nested, token_type: 'user' },
    },
    'two levels down': { result: { data: nested } },
    'in other spellings [plentymarkets]': {
      accessToken: 'a',
      tokenType: 'Bearer',
      expiresIn: 60,
      refreshToken: 'r',
      refreshTokenExpiresIn: 600,
    },
    'beside error: 0': { error: 0, ...nested },
    'beside an error object that says no error': { error: { code: 'ok', message: '' }, data: nested },
    'twice, and the same': { data: nested, token: nested },
  };
  test.each(Object.entries(places))('are found %s', (_, body) => {
    expect(read(body)).toMatchObject(granted);
    expect(read(body)).not.toHaveProperty('error');
  });

  test.each([
    ['two objects', { bot: { refresh_token: 'r1' }, user: { refresh_token: 'r2' } }],
    ['a list of two', { data: [{ refresh_token: 'r1' }, { refresh_token: 'r2' }] }],
    ['words about it', { errors: { refresh_token: 'invalid' } }],
    ['words beside a message', { message: 'No.', fields: { refresh_token: 'invalid' } }],
    ['a sentence', { data: { refresh_token: 'is required' } }],
    ['a prototype', '{"__proto__":{"refresh_token":"r"}}'],
    ['an object four levels down', { a: { b: { c: { d: { refresh_token: 'r' } } } } }],
  ])('are not guessed from %s', (_, body) => {
    expect(read(body)).not.toHaveProperty('refreshToken');
  });

  test('never hide a token in the usual place', () => {
    const response = read({ ...good, authed_user: { access_token: 'b', refresh_token: 'r2' } });
    expect(response).toMatchObject({
      refreshToken: 'r',
      accessToken: { value: 'a' },
      tokens: expect.arrayContaining(['a', 'r']),
    });
  });

  test('are not guessed from two access tokens, and the fix names the setting', () => {
    const body = { bot: { access_token: 'a1', refresh_token: 'r' }, user: { access_token: 'a2' } };
    expect(read(body)).toMatchObject({
      refreshToken: 'r',
      accessToken: expect.stringContaining('several tokens'),
    });
  });

  test('are not published if it is unclear which refresh token came with them', () => {
    const body = { access_token: 'a', bot: { refresh_token: 'r1' }, user: { refresh_token: 'r2' } };
    expect(read(body)?.accessToken).toEqual(expect.stringContaining('several tokens'));
  });

  test('are taken from the place that the profile names, if it has them', () => {
    const slack = { ok: true, access_token: 'b', refresh_token: 'r2', authed_user: nested };
    const at = (tokensIn: string, body: unknown) =>
      readTokenResponse(bytesOf(body), { ...HOURLY, response: { tokensIn } }, { now: NOW });
    expect(at('authed_user', slack)).toMatchObject(granted);
    expect(at('data', { data: [nested] })).toMatchObject(granted);
    expect(at('data.0', { data: [nested, { refresh_token: 'r2' }] })).toMatchObject(granted);
    expect(at('a.b', { a: { b: nested }, refresh_token: 'r2' })).toMatchObject(granted);
    expect(at('authed_user', nested)).toMatchObject(granted);
    expect(at('__proto__.x', nested)).toMatchObject(granted);
  });
});

describe('the members that become tags', () => {
  const tagsOf = (body: object, tags: readonly string[], tokensIn?: string) => {
    const response = { tags, ...(tokensIn !== undefined && { tokensIn }) };
    const { accessToken } = readTokenResponse(bytesOf(body), { ...HOURLY, response }) ?? {};
    return typeof accessToken === 'object' ? accessToken.tags : undefined;
  };

  test('are read beside the access token, as a text or a whole number', () => {
    const members = { instance_url: 'https://x.example', org: 7, instanceName: 'n' };
    const names = ['instance_url', 'org', 'instance_name'];
    const expected = { instance_url: 'https://x.example', org: '7', instance_name: 'n' };
    expect(tagsOf({ ...good, ...members }, names)).toEqual(expected);
    expect(tagsOf({ data: { ...good, ...members }, org: 8 }, names, 'data')).toEqual(expected);
    expect(readTokenResponse(bytesOf({ ...good, ...members }), HOURLY)?.accessToken).not.toHaveProperty(
      'tags',
    );
  });

  test.each([null, undefined, true, 1.5, 1e300, ['x'], { x: 'y' }])(
    'never make the access token unusable: %j',
    (value) => {
      expect(tagsOf({ ...good, instance_url: value }, ['instance_url', '__proto__', 'constructor'])).toEqual(
        {},
      );
    },
  );
});

describe('a type of access token', () => {
  test.each(['bot', 'user', 'User Access Token', 'Application Access Token', 'JWT'])(
    '%s counts as Bearer',
    (token_type) => {
      expect(accessTokenOf({ token_type })).toMatchObject({ value: 'a' });
    },
  );

  test('counts as Bearer if the profile says so', () => {
    const body = bytesOf({ ...good, token_type: 'Company' });
    const response = { bearerTypes: ['company'] };
    expect(readTokenResponse(body, { ...HOURLY, response })?.accessToken).toMatchObject({ value: 'a' });
    expect(readTokenResponse(body, HOURLY)).toMatchObject({ tokenType: 'Company' });
  });

  test.each(['DPoP', 'PoP', 'mac', 'N_A', 'hmac'])('%s does not', (token_type) => {
    expect(accessTokenOf({ token_type })).toEqual(expect.stringContaining('other than Bearer'));
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

  test.each([
    { message: '' },
    { code: 0, message: '' },
    'no error',
    'No_Error',
    'none',
    '0',
    'success',
    null,
    '',
    false,
    undefined,
  ])('is absent if its member is %j', (error) => {
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
        const response = readTokenResponse(Buffer.from(json, form), HOURLY);
        const isKept = response?.error ? looksLikeToken(refreshToken) : !isPlaceholder(refreshToken);
        if (isKept) expect(response?.refreshToken).toBe(refreshToken);
      }),
    );
  });
});
