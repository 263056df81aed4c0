import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Atlassian (Jira, Confluence), OAuth 2.0 (3LO). Each use returns a new refresh token; the first one needs the scope
 * `offline_access`. The profile assumes single use. To name an interval in which the used token still works, set
 * `refreshTokenGrace`.
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
