import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Google. A refresh token does not change and may be used over and over; it dies when it is not used for six months, after 7 days
 * while the consent screen is in testing, and silently where a client has been given too many for the same account.
 */
export const google: ProviderProfile = {
  id: 'google',
  title: 'Google',
  tokenUri: () => 'https://oauth2.googleapis.com/token',
  parameters: scopeOnly,
  clientAuthentication: 'client_secret_post',
  behavior: { ...CAREFUL_BEHAVIOR, refreshTokenGraceMs: Number.POSITIVE_INFINITY },
  signIn: USUAL_SIGN_IN,
  needs: [],
  source: 'https://developers.google.com/identity/protocols/oauth2#expiration',
};
