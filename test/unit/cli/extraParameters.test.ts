import { expect, test } from 'vitest';
import { extraParameters } from '../../../cli/extraParameters.ts';

test('a parameter has a name, and a value that may be empty or hold equals signs', () => {
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
])('%s is set by the sign-in itself', (name) => {
  expect(() => extraParameters(['prompt=login', `${name}=evil`])).toThrow(
    expect.objectContaining({ code: 'command_invalid', message: expect.not.stringContaining('evil') }),
  );
});

test.each(['offline', '=offline'])('%s has no name', (text) => {
  expect(() => extraParameters([text])).toThrow(expect.objectContaining({ code: 'command_invalid' }));
});
