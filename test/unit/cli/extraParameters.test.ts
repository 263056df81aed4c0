import { expect, test } from 'vitest';
import { extraParameters } from '../../../cli/extraParameters.ts';

test('accepts a name and a value that is empty or contains equals signs', () => {
  expect(extraParameters(['access_type=offline', 'claims={"a":"b=c"}', 'hint='])).toEqual({
    access_type: 'offline',
    claims: '{"a":"b=c"}',
    hint: '',
  });
  expect(extraParameters()).toEqual({});
});

test.each([
  'client_id',
  'client_secret',
  'redirect_uri',
  'response_type',
  'response_mode',
  'state',
  'STATE',
  'nonce',
  'code_challenge',
  'code_challenge_method',
  'code_verifier',
  'device_code',
  'grant_type',
  'request_uri',
])('refuses %s, which the sign-in itself sets', (name) => {
  expect(() => extraParameters(['prompt=login', `${name}=evil`])).toThrow(
    expect.objectContaining({ code: 'command_invalid', message: expect.not.stringContaining('evil') }),
  );
});

test.each(['offline', '=offline'])('refuses %s, which has no name', (text) => {
  expect(() => extraParameters([text])).toThrow(expect.objectContaining({ code: 'command_invalid' }));
});
