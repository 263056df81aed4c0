import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { refusedToken } from '../errorMeanings.ts';
import { documented, MINUTE_MS, NANGO, type ProviderProfile, USUAL_SIGN_IN } from './profile.ts';

/** HubSpot, with the token endpoint of the 2026-03 API. */
export const hubspot: ProviderProfile = {
  id: 'hubspot',
  title: 'HubSpot',
  tokenUri: 'https://api.hubapi.com/oauth/2026-03/token',
  clientAuthentication: 'client_secret_post',
  reuse: 'unknown',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: 30 * MINUTE_MS,
    errors: [
      {
        // The v1 API, which an entry may still name, has no member `error`.
        when: { members: { status: 'BAD_REFRESH_TOKEN' } },
        means: refusedToken('the refresh token is wrong or revoked'),
        unmistakable: true,
      },
    ],
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: 'https://app.hubspot.com/oauth/authorize' },
  note: 'The documentation does not say whether a refresh token can be used twice; the response returns the same one.',
  source: 'https://developers.hubspot.com/docs/api-reference/2026-03/authentication/manage-oauth-tokens',
  sources: {
    tokenUri: documented(
      'https://developers.hubspot.com/docs/api-reference/legacy/authentication/oauth-tokens/v1/migration-guide',
    ),
    clientAuthentication: documented('https://developers.hubspot.com/docs/api-reference/auth-oauth-v3/guide'),
    accessToken: documented(
      'https://developers.hubspot.com/changelog/upcoming-expiration-of-oauth-access-tokens-is-changing',
    ),
    reuse: documented(
      'https://developers.hubspot.com/docs/api-reference/2026-03/authentication/manage-oauth-tokens',
    ),
    signIn: NANGO,
  },
};
