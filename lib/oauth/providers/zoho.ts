import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { refusedToken, throttled } from '../errorMeanings.ts';
import { type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Zoho. A token response has no refresh token: the first one stays in use. Each data center has its own accounts server
 * (`https://accounts.zoho.eu/oauth/v2/token`), which the entry must name.
 */
export const zoho: ProviderProfile = {
  id: 'zoho',
  title: 'Zoho',
  parameters: scopeOnly,
  clientAuthentication: 'client_secret_post',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: Number.POSITIVE_INFINITY,
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
  signIn: USUAL_SIGN_IN,
  needs: ['tokenUri'],
  source: 'https://www.zoho.com/contracts/api/getting-started/refreshing-access-tokens.html',
};
