import { describe, expect, test } from 'vitest';
import { refusalOf } from '../../../functions/access.ts';

const TENANT = '11111111-2222-3333-4444-555555555555';
const RULES = { requiredRole: 'Tokens.Rotate', tenant: TENANT, platformAuthenticates: true };
const ROLE_URI = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
const ROLE = { typ: 'roles', val: 'Tokens.Rotate' };
const issuedBy = (val: unknown) => ({ typ: 'iss', val });
const ISSUER = issuedBy(`https://login.microsoftonline.com/${TENANT}/v2.0`);
const principal = (...claims: unknown[]) =>
  encode({ auth_typ: 'aad', claims: [ISSUER, ...claims], role_typ: ROLE_URI });
/** The headers as the platform writes them for a caller. */
function callerWith(header: string | null, ...providers: string[]): Headers {
  const headers = new Headers();
  for (const provider of providers.length === 0 ? ['aad'] : providers)
    headers.append('X-MS-CLIENT-PRINCIPAL-IDP', provider);
  if (header !== null) headers.set('X-MS-CLIENT-PRINCIPAL', header);
  return headers;
}
const codeOf = (header: string | null, rules = RULES) => refusalOf(callerWith(header), rules)?.code;

test('without a required role every caller is allowed, whatever the header', () => {
  expect([null, '?'].map((header) => refusalOf(callerWith(header), undefined))).toEqual([
    undefined,
    undefined,
  ]);
});

describe('a caller with the role is allowed', () => {
  test.each([
    ['roles', principal({ typ: 'roles', val: 'Tokens.Rotate' })],
    ['the role claim by its URI', principal({ typ: ROLE_URI, val: 'Tokens.Rotate' })],
    ['several roles', principal({ typ: 'roles', val: 'Other' }, { typ: 'roles', val: 'Tokens.Rotate' })],
    ['unusual claims next to it', principal(null, 7, 'roles', [], { typ: 'roles', val: 'Tokens.Rotate' })],
  ])('%s', (_, header) => expect(codeOf(header)).toBeUndefined());
});

describe('a caller without the role is forbidden', () => {
  test.each([
    ['no claim', principal()],
    ['another role', principal({ typ: 'roles', val: 'Tokens.Read' })],
    ['a role with the same prefix', principal({ typ: 'roles', val: 'Tokens.Rotate.All' })],
    ['a different case', principal({ typ: 'roles', val: 'tokens.rotate' })],
    ['the value in another claim', principal({ typ: 'name', val: 'Tokens.Rotate' })],
    ['a list instead of a value', principal({ typ: 'roles', val: ['Tokens.Rotate'] })],
    ['claims that are not objects', principal(null, 1, 'roles')],
  ])('%s', (_, header) => {
    expect(refusalOf(callerWith(header), RULES)).toMatchObject({
      code: 'forbidden',
      message: expect.stringContaining('Tokens.Rotate'),
      fix: expect.stringContaining('Assign Tokens.Rotate'),
    });
  });
});

describe('a header that the platform did not write is not an identity', () => {
  test.each([
    ['a missing header', null],
    ['an empty header', ''],
    ['invalid base64', '%%%'],
    ['invalid JSON', Buffer.from('claims').toString('base64')],
    ['binary data', Buffer.from([0xff, 0xfe, 0x00]).toString('base64')],
    ['plain JSON', '{"claims":[{"typ":"roles","val":"Tokens.Rotate"}]}'],
    ['null', encode(null)],
    ['a number', encode(1)],
    ['an array', encode([{ typ: 'roles', val: 'Tokens.Rotate' }])],
    ['no claims', encode({ auth_typ: 'aad' })],
    ['claims as an object', encode({ auth_typ: 'aad', claims: { typ: 'roles', val: 'Tokens.Rotate' } })],
    ['claims as a string', encode({ auth_typ: 'aad', claims: 'roles' })],
    ['__proto__ with claims', Buffer.from('{"__proto__":{"claims":[]}}').toString('base64')],
    ['very deep nesting', Buffer.from('['.repeat(45_000)).toString('base64')],
    ['more than 64 KB', principal({ typ: 'roles', val: 'Tokens.Rotate' }, { pad: 'x'.repeat(64 * 1024) })],
    [
      'two headers joined by a comma',
      [principal(), principal({ typ: 'roles', val: 'Tokens.Rotate' })].join(','),
    ],
  ])('%s', (_, header) => expect(codeOf(header)).toBe('unauthenticated'));
});

describe('a role of another identity provider or tenant does not count', () => {
  const OTHER = '99999999-2222-3333-4444-555555555555';
  const entra = (...claims: unknown[]) => encode({ auth_typ: 'aad', claims });

  test.each([['github'], ['AAD'], [''], ['aad', 'aad'], ['aad', 'custom']])(
    'identity provider %s %s',
    (...providers) => {
      expect(refusalOf(callerWith(principal(ROLE), ...providers), RULES)?.code).toBe('unauthenticated');
    },
  );

  test('no identity provider', () => {
    const headers = new Headers({ 'X-MS-CLIENT-PRINCIPAL': principal(ROLE) });
    expect(refusalOf(headers, RULES)?.code).toBe('unauthenticated');
  });

  test.each([
    ['a principal of another provider', encode({ auth_typ: 'custom', claims: [ISSUER, ROLE] })],
    ['a principal without a provider', encode({ claims: [ISSUER, ROLE] })],
    ['a principal with several providers', encode({ auth_typ: ['aad'], claims: [ISSUER, ROLE] })],
    ['no issuer', entra(ROLE)],
    ['another tenant', entra(issuedBy(`https://login.microsoftonline.com/${OTHER}/v2.0`), ROLE)],
    ['another tenant, version 1', entra(issuedBy(`https://sts.windows.net/${OTHER}/`), ROLE)],
    ['another host', entra(issuedBy(`https://login.example.com/${TENANT}/v2.0`), ROLE)],
    [
      'a host that begins the same',
      entra(issuedBy(`https://login.microsoftonline.com.example/${TENANT}/v2.0`), ROLE),
    ],
    ['plain http', entra(issuedBy(`http://login.microsoftonline.com/${TENANT}/v2.0`), ROLE)],
    ['a longer path', entra(issuedBy(`https://login.microsoftonline.com/${TENANT}/v2.0/x`), ROLE)],
    ['an issuer that is not text', entra(issuedBy([`https://sts.windows.net/${TENANT}/`]), ROLE)],
    ['a second issuer', entra(ISSUER, issuedBy('https://login.example.com/'), ROLE)],
  ])('%s', (_, header) => expect(codeOf(header)).toBe('unauthenticated'));

  test.each([
    `https://login.microsoftonline.us/${TENANT}/v2.0`,
    `https://login.partner.microsoftonline.cn/${TENANT}/v2.0`,
    `https://sts.windows.net/${TENANT}/`,
    `https://sts.chinacloudapi.cn/${TENANT}/`,
  ])('while the issuer %s does', (issuer) => {
    expect(codeOf(entra(issuedBy(issuer), ROLE))).toBeUndefined();
  });

  test('without the setting of a tenant, no role counts', () => {
    expect(refusalOf(callerWith(principal(ROLE)), { ...RULES, tenant: undefined })).toMatchObject({
      code: 'configuration_invalid',
      fix: expect.stringContaining('Set REQUIRED_TENANT_ID'),
    });
  });
});

test('trusts no header if the platform does not authenticate', () => {
  const rules = { ...RULES, platformAuthenticates: false };
  for (const header of [null, principal({ typ: 'roles', val: 'Tokens.Rotate' })]) {
    expect(refusalOf(callerWith(header), rules)).toMatchObject({
      code: 'configuration_invalid',
      fix: expect.stringContaining('entraAuthentication'),
    });
  }
});
