import { describe, expect, test } from 'vitest';
import { refusalOf } from '../../../functions/access.ts';

const RULES = { requiredRole: 'Tokens.Rotate', platformAuthenticates: true };
const ROLE_URI = 'http://schemas.microsoft.com/ws/2008/06/identity/claims/role';

const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64');
const principal = (...claims: unknown[]) => encode({ auth_typ: 'aad', claims, role_typ: ROLE_URI });
const codeOf = (header: string | null, rules = RULES) => refusalOf(header, rules)?.code;

test('without a required role every caller is allowed, whatever the header', () => {
  expect([refusalOf(null, undefined), refusalOf('?', undefined)]).toEqual([undefined, undefined]);
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
    expect(refusalOf(header, RULES)).toMatchObject({
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
    ['no claims', encode({})],
    ['claims as an object', encode({ claims: { typ: 'roles', val: 'Tokens.Rotate' } })],
    ['claims as a string', encode({ claims: 'roles' })],
    ['__proto__ with claims', Buffer.from('{"__proto__":{"claims":[]}}').toString('base64')],
    ['very deep nesting', Buffer.from('['.repeat(45_000)).toString('base64')],
    ['more than 64 KB', principal({ typ: 'roles', val: 'Tokens.Rotate' }, { pad: 'x'.repeat(64 * 1024) })],
    [
      'two headers joined by a comma',
      [principal(), principal({ typ: 'roles', val: 'Tokens.Rotate' })].join(','),
    ],
  ])('%s', (_, header) => expect(codeOf(header)).toBe('unauthenticated'));
});

test('trusts no header if the platform does not authenticate', () => {
  const rules = { ...RULES, platformAuthenticates: false };
  for (const header of [null, principal({ typ: 'roles', val: 'Tokens.Rotate' })]) {
    expect(refusalOf(header, rules)).toMatchObject({
      code: 'configuration_invalid',
      fix: expect.stringContaining('entraAuthentication'),
    });
  }
});
