import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { refusedToken, throttled } from '../errorMeanings.ts';
import { documented, NANGO, type ProviderProfile, reported, USUAL_SIGN_IN } from './profile.ts';

const REFRESHING = documented(
  'https://www.zoho.com/contracts/api/getting-started/refreshing-access-tokens.html',
);
const RESPONSE = documented('https://www.zoho.com/fsm/developer/help/api/refresh-token.html');
const VALIDITY = documented('https://zoho.com/crm/developer/docs/api/v4/token-validity.html');

/** Zoho. A token response has no refresh token: the first one stays in use. */
export const zoho: ProviderProfile = {
  id: 'zoho',
  title: 'Zoho',
  // Each data center has its own accounts server.
  tokenPath: '/oauth/v2/token',
  clientAuthentication: 'client_secret_post',
  reuse: 'reusable',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: Number.POSITIVE_INFINITY,
    response: { tags: ['api_domain'] },
    // https://www.zoho.com/accounts/protocol/oauth.html
    errors: [
      {
        // Only the description shows it.
        when: { error: 'Access Denied', description: /too many requests/i },
        means: throttled('the provider is throttling requests'),
        unmistakable: true,
      },
      {
        when: { error: 'invalid_code' },
        means: refusedToken('the refresh token is wrong or revoked'),
        unmistakable: true,
      },
    ],
  },
  signIn: {
    ...USUAL_SIGN_IN,
    authorizationUri: '/oauth/v2/auth',
    parameters: { access_type: 'offline', prompt: 'consent' },
  },
  revocationUri: '/oauth/v2/token/revoke',
  apiScheme: 'Zoho-oauthtoken',
  note: 'Set `tokenUri` to the accounts server of your data center, such as `https://accounts.zoho.eu/oauth/v2/token`. A refresh token gives at most 10 access tokens in 10 minutes, and a user has at most 20 refresh tokens: the oldest one ends.',
  source: 'https://www.zoho.com/contracts/api/getting-started/refreshing-access-tokens.html',
  sources: {
    tokenUri: RESPONSE,
    clientAuthentication: reported(
      'https://www.zoho.com/contracts/api/getting-started/refreshing-access-tokens.html',
    ),
    accessToken: VALIDITY,
    reuse: REFRESHING,
    refreshToken: VALIDITY,
    signIn: NANGO,
    revocation: REFRESHING,
    others: RESPONSE,
  },
};
