import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { suspendedToken, throttled } from '../errorMeanings.ts';
import { documented, NANGO, type ProviderProfile, USUAL_SIGN_IN } from './profile.ts';

const REST =
  'https://developer.salesforce.com/docs/atlas.en-us.198.0.api_rest.meta/api_rest/intro_understanding_refresh_token_oauth.htm';

/**
 * Salesforce. Rotation is a setting of the connected app. If it is on, the previous refresh token becomes invalid immediately,
 * so the profile assumes single use.
 */
export const salesforce: ProviderProfile = {
  id: 'salesforce',
  title: 'Salesforce',
  tokenUri: 'https://login.salesforce.com/services/oauth2/token',
  hosts: ['test.salesforce.com'],
  clientAuthentication: 'client_secret_post',
  reuse: 'setting',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    response: { tags: ['instance_url'] },
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
      {
        // "ip restricted", "ip restricted or invalid login hours"
        when: { error: 'invalid_grant', description: /ip restricted|login hours/i },
        means: suspendedToken(
          'the profile of the user or the app does not allow the IP address or the time',
          "Allow the rotator's outbound IP addresses in the network access of the org, or relax the IP restrictions of the connected app.",
        ),
      },
    ],
  },
  signIn: {
    ...USUAL_SIGN_IN,
    authorizationUri: '/services/oauth2/authorize',
    scopes: ['offline_access'],
    parameters: { prompt: 'consent' },
  },
  // https://help.salesforce.com/s/articleView?id=sf.remoteaccess_revoke_token.htm
  revocationUri: '/services/oauth2/revoke',
  note: 'The response does not name the lifetime of the access token: it is the session timeout of the app. Set `accessTokenLifetime` if that is below an hour. A sandbox or a custom domain has another `tokenUri`. The lifetime of refresh tokens is a policy of the app. A sixth consent of the same user ends the oldest one.',
  source: 'https://help.salesforce.com/s/articleView?id=sf.remoteaccess_oauth_refresh_token_flow.htm',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: documented(REST),
    accessToken: documented(REST),
    reuse: documented('https://help.salesforce.com/s/articleView?id=005316711'),
    signIn: NANGO,
    revocation: documented('https://help.salesforce.com/s/articleView?id=sf.remoteaccess_revoke_token.htm'),
    others: NANGO,
  },
};
