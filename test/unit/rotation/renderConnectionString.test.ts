import { expect, test } from 'vitest';
import { FORMS } from '../../../lib/connectionString/forms.ts';
import { MASK } from '../../../lib/connectionString/mask.ts';
import { renderConnectionString } from '../../../lib/rotation/core/connection.ts';
import { connectionNamed } from './world/connection.ts';

const connection = connectionNamed('crm', { serviceUrl: 'https://crm.example/' });
const values = { accessToken: 'a', refreshToken: 'r', clientId: 'i', clientSecret: 's' };

test('a string for consumers never has the other secrets, even if its template names them', () => {
  const template = { syntax: 'raw', text: '{accessToken} {refreshToken} {clientSecret} {clientId}' } as const;
  expect(renderConnectionString(connection, { holds: 'accessToken', template }, values)).toBe(
    'a {refreshToken} {clientSecret} {clientId}',
  );
});

test('a string with the refresh token has everything that the driver needs', () => {
  const text = renderConnectionString(
    connection,
    { holds: 'refreshToken', template: FORMS.refreshToken },
    values,
  );
  expect(text).toBe(
    'DRIVER=DataDirect 8.0 Microsoft Dynamics 365;ServiceURL=https://crm.example/;ClientID=i;ClientSecret=s;TokenURI=https://login.example/token;RefreshToken=r;',
  );
});

test('a string made of masks shows everything except the secrets', () => {
  const masks = { ...values, accessToken: MASK, refreshToken: MASK, clientSecret: MASK };
  const shown = (['accessToken', 'refreshToken'] as const).map((holds) =>
    renderConnectionString(connection, { holds, template: FORMS[holds] }, masks),
  );
  const driver = 'DRIVER=DataDirect 8.0 Microsoft Dynamics 365;ServiceURL=https://crm.example/;';
  expect(shown).toEqual([
    `${driver}AccessToken=***;`,
    `${driver}ClientID=i;ClientSecret=***;TokenURI=https://login.example/token;RefreshToken=***;`,
  ]);
});
