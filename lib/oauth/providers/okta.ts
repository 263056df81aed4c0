import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { beside, type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Okta. If rotation is on, the used refresh token stays valid for the grace period of the application
 * (0 to 60 s, 30 s by default). A later use revokes the newest token as well.
 */
export const okta: ProviderProfile = {
  id: 'okta',
  title: 'Okta',
  parameters: scopeOnly,
  clientAuthentication: 'client_secret_basic',
  behavior: { ...CAREFUL_BEHAVIOR, refreshTokenGraceMs: 30_000 },
  signIn: { ...USUAL_SIGN_IN, takesScopeFromMetadata: true },
  // https://developer.okta.com/docs/guides/revoke-tokens/main/
  revocationUri: beside('/v1/token', '/v1/revoke'),
  needs: ['tokenUri'],
  source: 'https://developer.okta.com/docs/guides/refresh-tokens/main/',
};
