import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { beside, type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Auth0. If rotation is on, a used refresh token still works within the overlap period of the application. That period is 0 s by
 * default; set `refreshTokenGrace` to yours. A later use revokes the newest token as well.
 */
export const auth0: ProviderProfile = {
  id: 'auth0',
  title: 'Auth0',
  parameters: scopeOnly,
  clientAuthentication: 'client_secret_post',
  behavior: CAREFUL_BEHAVIOR,
  signIn: USUAL_SIGN_IN,
  // https://auth0.com/docs/secure/tokens/refresh-tokens/revoke-refresh-tokens
  revocationUri: beside('/oauth/token', '/oauth/revoke'),
  needs: ['tokenUri'],
  source: 'https://auth0.com/docs/secure/tokens/refresh-tokens/configure-refresh-token-rotation',
};
