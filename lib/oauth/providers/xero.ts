import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { DAY_MS, HOUR_MS, type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Xero. Each use returns a new refresh token. If the response was lost, the used token can be sent again for 30 min. A token
 * expires after 60 days without use.
 */
export const xero: ProviderProfile = {
  id: 'xero',
  title: 'Xero',
  tokenUri: () => 'https://identity.xero.com/connect/token',
  parameters: scopeOnly,
  clientAuthentication: 'client_secret_basic',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: HOUR_MS / 2,
    defaultExpiresInMs: HOUR_MS / 2,
    refreshTokenLifetimeMs: 60 * DAY_MS,
    refreshTokenDeadline: 'idle',
  },
  signIn: USUAL_SIGN_IN,
  // https://developer.xero.com/documentation/guides/oauth2/auth-flow/#revoking-tokens
  revocationUri: () => 'https://identity.xero.com/connect/revocation',
  needs: [],
  source: 'https://developer.xero.com/documentation/guides/oauth2/token-types',
};
