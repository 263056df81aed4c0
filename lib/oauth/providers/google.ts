import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Google. A refresh token does not change and can be used repeatedly. It expires after six months without use, or after 7 days
 * while the consent screen is in testing. It also expires silently if a client has received too many for the same account.
 */
export const google: ProviderProfile = {
  id: 'google',
  title: 'Google',
  tokenUri: () => 'https://oauth2.googleapis.com/token',
  parameters: scopeOnly,
  clientAuthentication: 'client_secret_post',
  behavior: { ...CAREFUL_BEHAVIOR, refreshTokenGraceMs: Number.POSITIVE_INFINITY },
  signIn: USUAL_SIGN_IN,
  // https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke
  revocationUri: () => 'https://oauth2.googleapis.com/revoke',
  needs: [],
  source: 'https://developers.google.com/identity/protocols/oauth2#expiration',
};
