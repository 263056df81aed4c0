import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
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
  behavior: { ...CAREFUL_BEHAVIOR, defaultExpiresInMs: HOUR_MS / 2 },
  signIn: USUAL_SIGN_IN,
  needs: [],
  source: 'https://developers.hubspot.com/docs/api-reference/2026-03/authentication/manage-oauth-tokens',
};
