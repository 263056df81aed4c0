import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Atlassian (Jira, Confluence), OAuth 2.0 (3LO). Each use gives a new refresh token, given at first only with the scope
 * `offline_access`. It is taken for single use; an interval in which the used one works again can be named as `refreshTokenGrace`.
 */
export const atlassian: ProviderProfile = {
  id: 'atlassian',
  title: 'Atlassian',
  tokenUri: () => 'https://auth.atlassian.com/oauth/token',
  parameters: scopeOnly,
  clientAuthentication: 'client_secret_post',
  behavior: CAREFUL_BEHAVIOR,
  signIn: USUAL_SIGN_IN,
  needs: [],
  source: 'https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens/',
};
