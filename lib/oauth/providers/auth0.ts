import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Auth0. Where rotation is on, a used refresh token works again within the overlap period of the application, which is 0 s unless it
 * was set; name it as `refreshTokenGrace`. A later use revokes the newest token as well.
 */
export const auth0: ProviderProfile = {
  id: 'auth0',
  title: 'Auth0',
  parameters: scopeOnly,
  clientAuthentication: 'client_secret_post',
  behavior: CAREFUL_BEHAVIOR,
  signIn: USUAL_SIGN_IN,
  needs: ['tokenUri'],
  source: 'https://auth0.com/docs/secure/tokens/refresh-tokens/configure-refresh-token-rotation',
};
