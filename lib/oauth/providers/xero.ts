import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { DAY_MS, HOUR_MS, type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Xero. Each use gives a new refresh token; where its answer was lost, the used one may be sent again for 30 min. One that is not
 * used for 60 days dies.
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
  needs: [],
  source: 'https://developer.xero.com/documentation/guides/oauth2/token-types',
};
