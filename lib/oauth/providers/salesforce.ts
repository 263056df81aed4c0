import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { throttled } from '../errorMeanings.ts';
import { beside, type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

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
  behavior: {
    ...CAREFUL_BEHAVIOR,
    errors: [
      {
        // Before that release, the description was "expired authorization code".
        // https://help.salesforce.com/s/articleView?id=release-notes.rn_security_refresh_token_requests.htm&release=250&type=5
        when: {
          error: 'invalid_grant',
          description: /token request is already being processed|expired authorization code/i,
        },
        means: throttled('another request with the same refresh token is being processed'),
      },
    ],
  },
  signIn: USUAL_SIGN_IN,
  // https://help.salesforce.com/s/articleView?id=sf.remoteaccess_revoke_token.htm
  revocationUri: beside('/services/oauth2/token', '/services/oauth2/revoke'),
  needs: [],
  source: 'https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_refresh_token_flow.htm',
};
