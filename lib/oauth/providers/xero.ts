import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import {
  DAY_MS,
  documented,
  MINUTE_MS,
  NANGO,
  type ProviderProfile,
  reported,
  USUAL_SIGN_IN,
} from './profile.ts';

const TOKEN_TYPES = documented('https://developer.xero.com/documentation/guides/oauth2/token-types');

/** Xero. Each use returns a new refresh token. If the response was lost, the used token can be sent again for 30 min. */
export const xero: ProviderProfile = {
  id: 'xero',
  title: 'Xero',
  tokenUri: 'https://identity.xero.com/connect/token',
  clientAuthentication: 'client_secret_basic',
  reuse: 'grace',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: 30 * MINUTE_MS,
    defaultExpiresInMs: 30 * MINUTE_MS,
    refreshTokenIdleMs: 60 * DAY_MS,
  },
  signIn: {
    ...USUAL_SIGN_IN,
    authorizationUri: 'https://login.xero.com/identity/connect/authorize',
    scopes: ['offline_access'],
  },
  revocationUri: 'https://identity.xero.com/connect/revocation',
  source: 'https://developer.xero.com/documentation/guides/oauth2/token-types',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: reported('https://github.com/XeroAPI/xero-node/issues/382'),
    accessToken: TOKEN_TYPES,
    reuse: TOKEN_TYPES,
    refreshToken: reported('https://github.com/XeroAPI/Xero-NetStandard/issues/257'),
    signIn: NANGO,
    revocation: documented(
      'https://developer.xero.com/documentation/guides/oauth2/auth-flow/#revoking-tokens',
    ),
  },
};
