import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { NANGO, type ProviderProfile, reported, UNVERIFIED, USUAL_SIGN_IN } from './profile.ts';

const REPORTED = reported('https://theitside.blogspot.com/2025/01/refresh-token-flow-pingfederate.html');

/**
 * PingOne and PingFederate. Whether refresh tokens are replaced, and how long the used one still works, are settings of the
 * application.
 */
export const ping: ProviderProfile = {
  id: 'ping',
  title: 'PingOne and PingFederate',
  clientAuthentication: 'client_secret_post',
  reuse: 'setting',
  behavior: CAREFUL_BEHAVIOR,
  signIn: { ...USUAL_SIGN_IN, takesScopeFromMetadata: true },
  note: 'Set `tokenUri` to `https://auth.pingone.REGION/ENVIRONMENT/as/token` or `https://HOST/as/token.oauth2`. Access tokens of PingFederate live for 120 min by default.',
  source: 'https://theitside.blogspot.com/2025/01/refresh-token-flow-pingfederate.html',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: UNVERIFIED,
    accessToken: REPORTED,
    reuse: REPORTED,
  },
};
