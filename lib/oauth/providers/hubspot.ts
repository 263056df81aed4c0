import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { refusedToken } from '../errorMeanings.ts';
import { HOUR_MS, type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * HubSpot, with the token endpoint of the 2026-03 API. Access tokens are valid for 30 min. The documentation does not say whether
 * a refresh token can be used twice, so the profile assumes single use.
 */
export const hubspot: ProviderProfile = {
  id: 'hubspot',
  title: 'HubSpot',
  tokenUri: () => 'https://api.hubapi.com/oauth/2026-03/token',
  parameters: scopeOnly,
  clientAuthentication: 'client_secret_post',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: HOUR_MS / 2,
    errors: [
      {
        // The v1 API, which an entry may still name, has no member `error`.
        when: { members: { status: 'BAD_REFRESH_TOKEN' } },
        means: refusedToken('the refresh token is wrong or revoked'),
        unmistakable: true,
      },
    ],
  },
  signIn: USUAL_SIGN_IN,
  needs: [],
  source: 'https://developers.hubspot.com/docs/api-reference/2026-03/authentication/manage-oauth-tokens',
};
