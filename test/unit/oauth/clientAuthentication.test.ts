import { describe, expect, test } from 'vitest';
import { authenticate } from '../../../lib/oauth/clientAuthentication.ts';

function decodedBasic(clientId: string, clientSecret: string): string {
  const { headers } = authenticate('client_secret_basic', { clientId, clientSecret });
  return Buffer.from(headers.authorization?.replace(/^Basic /, '') ?? '', 'base64').toString();
}

describe('client authentication', () => {
  test('client_secret_post puts both into the body and nothing into a header', () => {
    expect(authenticate('client_secret_post', { clientId: 'id', clientSecret: 'se:cret' })).toEqual({
      headers: {},
      parameters: { client_id: 'id', client_secret: 'se:cret' },
    });
  });

  test('client_secret_basic puts both into the header and nothing into the body', () => {
    expect(authenticate('client_secret_basic', { clientId: 'id', clientSecret: 'secret' })).toEqual({
      headers: { authorization: `Basic ${Buffer.from('id:secret').toString('base64')}` },
      parameters: {},
    });
  });

  test('client_secret_basic_raw does not encode what it joins', () => {
    const { headers, parameters } = authenticate('client_secret_basic_raw', {
      clientId: 'an id',
      clientSecret: 'a+b/c==',
    });
    expect(headers.authorization).toBe(`Basic ${Buffer.from('an id:a+b/c==').toString('base64')}`);
    expect(parameters).toEqual({});
  });

  test.each([
    ['client_secret_basic', { authorization: `Basic ${Buffer.from('id:').toString('base64')}` }, {}],
    ['client_secret_post', {}, { client_id: 'id', client_secret: '' }],
  ] as const)('%s sends an empty client secret', (method, headers, parameters) => {
    expect(authenticate(method, { clientId: 'id', clientSecret: '' })).toEqual({ headers, parameters });
  });

  test('none sends the client id alone', () => {
    expect(authenticate('none', { clientId: 'id', clientSecret: '' })).toEqual({
      headers: {},
      parameters: { client_id: 'id' },
    });
  });

  test.each(['private_key_jwt', 'managed_identity_federation'] as const)(
    '%s puts the assertion and its type into the body, and no client secret',
    (method) => {
      const client = { clientId: 'id', clientSecret: 'unused', clientAssertion: 'a.b.c' };
      expect(authenticate(method, client)).toEqual({
        headers: {},
        parameters: {
          client_id: 'id',
          client_assertion: 'a.b.c',
          client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
        },
      });
    },
  );

  const encodings = {
    'a colon in the id is escaped, because a colon is the separator': ['a:b', 'c', 'a%3Ab:c'],
    'a space becomes a plus sign': ['a b', 'c d', 'a+b:c+d'],
    'a plus sign and a percent sign are escaped': ['a', '+%', 'a:%2B%25'],
    'a character beyond ASCII is escaped as UTF-8': ['ä', '€', '%C3%A4:%E2%82%AC'],
    'a character that needs no escape stays unchanged': ['a', 'x8Q~-._', 'a:x8Q~-._'],
    'a lone surrogate does not throw': ['a', '\ud800', 'a:%EF%BF%BD'],
  };
  test.each(Object.entries(encodings))('%s', (_, [id, secret, expected]) => {
    expect(decodedBasic(id ?? '', secret ?? '')).toBe(expected);
  });
});
