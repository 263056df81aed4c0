import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { DAY_MS, documented, NANGO, type ProviderProfile, UNVERIFIED, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented('https://developer.squareup.com/docs/oauth-api/overview');
const OBTAIN = documented('https://developer.squareup.com/reference/square/o-auth/obtain-token');

/** Square. The code flow returns the same refresh token, which has no end. */
export const square: ProviderProfile = {
  id: 'square',
  title: 'Square',
  tokenUri: 'https://connect.squareup.com/oauth2/token',
  hosts: ['connect.squareupsandbox.com'],
  clientAuthentication: 'client_secret_post',
  reuse: 'reusable',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: Number.POSITIVE_INFINITY,
    defaultExpiresInMs: 30 * DAY_MS,
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/oauth2/authorize' },
  note: 'Refresh tokens of public clients (PKCE) are replaced: set `refreshTokenGrace` to 0.',
  source: 'https://developer.squareup.com/docs/oauth-api/overview',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: OBTAIN,
    accessToken: OBTAIN,
    reuse: OBTAIN,
    refreshToken: PAGE,
    signIn: UNVERIFIED,
  },
};
