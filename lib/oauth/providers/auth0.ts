import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, NANGO, type ProviderProfile, UNVERIFIED, USUAL_SIGN_IN } from './profile.ts';

const ROTATION = documented(
  'https://auth0.com/docs/secure/tokens/refresh-tokens/configure-refresh-token-rotation',
);

/**
 * Auth0. If rotation is on, a used refresh token still works within the overlap period of the application. That period is 0 s by
 * default; set `refreshTokenGrace` to yours. A later use revokes the newest token as well.
 */
export const auth0: ProviderProfile = {
  id: 'auth0',
  title: 'Auth0',
  tokenUri: 'https://{tenant}.auth0.com/oauth/token',
  tenant: { means: 'the tenant with its region, such as contoso.eu' },
  clientAuthentication: 'client_secret_post',
  reuse: 'setting',
  behavior: CAREFUL_BEHAVIOR,
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/authorize', scopes: ['offline_access'] },
  revocationUri: '/oauth/revoke',
  note: 'The overlap period and the lifetimes of refresh tokens are settings of the application. A custom domain has another `tokenUri`.',
  source: 'https://auth0.com/docs/secure/tokens/refresh-tokens/configure-refresh-token-rotation',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: UNVERIFIED,
    accessToken: UNVERIFIED,
    reuse: ROTATION,
    signIn: NANGO,
    revocation: documented('https://auth0.com/docs/secure/tokens/refresh-tokens/revoke-refresh-tokens'),
  },
};
