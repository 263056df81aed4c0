import { expect, test } from 'vitest';
import { isSecret } from '../../../lib/connectionString/mask.ts';

test.each([
  'AccessToken',
  'REFRESHTOKEN',
  'ClientSecret',
  'pwd',
  'Password',
  'AuthorizationCode',
  'KeyPassword',
])('%s is a secret', (name) => expect(isSecret(name)).toBe(true));

test.each(['TokenURI', 'ClientID', 'ServiceURL', 'DRIVER', 'Scope', 'CPWDX'])('%s is not a secret', (name) =>
  expect(isSecret(name)).toBe(false),
);
