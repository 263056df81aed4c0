import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { NANGO, type ProviderProfile, readInCode, reported, USUAL_SIGN_IN } from './profile.ts';

const REPORTED = reported('https://www.ibm.com/docs/en/ace-ipaas?topic=workday-obtaining-connection-values');
const NANGO_CLIENT = readInCode(
  'https://github.com/NangoHQ/nango/blob/2f4c0af671e2/packages/shared/lib/clients/provider.client.ts',
);

/** Workday. Whether a returned refresh token replaces the old one depends on the tenant. */
export const workday: ProviderProfile = {
  id: 'workday',
  title: 'Workday',
  tokenPath: '/token',
  clientAuthentication: 'client_secret_basic',
  reuse: 'unknown',
  behavior: CAREFUL_BEHAVIOR,
  signIn: USUAL_SIGN_IN,
  note: 'Set `tokenUri` to `https://HOST/ccx/oauth2/TENANT/token`. The response may not name the lifetime of the access token. The refresh token does not expire, or after a number of days, as the client is set.',
  source: 'https://www.ibm.com/docs/en/ace-ipaas?topic=workday-obtaining-connection-values',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: NANGO_CLIENT,
    accessToken: NANGO,
    reuse: NANGO_CLIENT,
    refreshToken: REPORTED,
  },
};
