import { expect, test } from 'vitest';
import { FORMS } from '../../../lib/connectionString/forms.ts';
import { MASK, masked } from '../../../lib/connectionString/mask.ts';
import { parseOdbc } from '../../../lib/connectionString/odbc.ts';
import { renderConnectionString } from '../../../lib/rotation/core/connection.ts';
import { connectionNamed } from './world/connection.ts';

const connection = connectionNamed('crm', { serviceUrl: 'https://crm.example/' });
const values = { accessToken: 'a', refreshToken: 'r', clientId: 'i', clientSecret: 's' };

test('what consumers read never gets the secrets, whatever its template says', () => {
  const template = { syntax: 'raw', text: '{accessToken} {refreshToken} {clientSecret} {clientId}' } as const;
  expect(renderConnectionString(connection, { holds: 'accessToken', template }, values)).toBe(
    'a {refreshToken} {clientSecret} {clientId}',
  );
});

test('what holds the refresh token has all that the driver asks for', () => {
  const text = renderConnectionString(
    connection,
    { holds: 'refreshToken', template: FORMS.refreshToken },
    values,
  );
  expect(text).toBe(
    'DRIVER=DataDirect 8.0 Microsoft Dynamics 365;ServiceURL=https://crm.example/;ClientID=i;ClientSecret=s;TokenURI=https://login.example/token;RefreshToken=r;',
  );
});

test('made of masks, it is what the whole one looks like masked', () => {
  const masks = { ...values, accessToken: MASK, refreshToken: MASK, clientSecret: MASK };
  for (const holds of ['accessToken', 'refreshToken'] as const) {
    const asked = { holds, template: FORMS[holds] };
    const whole = renderConnectionString(connection, asked, values);
    expect(renderConnectionString(connection, asked, masks)).toBe(masked(whole, parseOdbc(whole)));
  }
});
