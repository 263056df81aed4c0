import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Salesforce. Rotation is a setting of the connected app. If it is on, the previous refresh token becomes invalid immediately,
 * so the profile assumes single use. The response does not name the lifetime of the access token: it is the session timeout of
 * the app. Set `accessTokenLifetime` if that is below an hour. A sandbox or a custom domain has another `tokenUri`.
 */
export const salesforce: ProviderProfile = {
  id: 'salesforce',
  title: 'Salesforce',
  tokenUri: () => 'https://login.salesforce.com/services/oauth2/token',
  parameters: scopeOnly,
  clientAuthentication: 'client_secret_post',
  behavior: CAREFUL_BEHAVIOR,
  signIn: USUAL_SIGN_IN,
  needs: [],
  source: 'https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_refresh_token_flow.htm',
};
