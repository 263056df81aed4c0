import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { DAY_MS, documented, HOUR_MS, NANGO, type ProviderProfile, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented(
  'https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens',
);
const RETRY = documented(
  'https://shopify.dev/changelog/more-resilient-refreshes-for-expiring-offline-access-tokens',
);

/**
 * Shopify (expiring offline tokens). A used refresh token can be sent again until its successor is used, for at most 30 days.
 */
export const shopify: ProviderProfile = {
  id: 'shopify',
  title: 'Shopify',
  tokenUri: 'https://{tenant}.myshopify.com/admin/oauth/access_token',
  tenant: { means: 'the name of the shop' },
  clientAuthentication: 'client_secret_post',
  reuse: 'grace',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: 30 * DAY_MS,
    defaultExpiresInMs: HOUR_MS,
    refreshTokenIdleMs: 90 * DAY_MS,
  },
  signIn: {
    ...USUAL_SIGN_IN,
    authorizationUri: '/admin/oauth/authorize',
    tokenParameters: { expiring: '1' },
  },
  note: 'Tokens that expire must be requested when the code is exchanged (`expiring=1`): `rotator connect` does so.',
  source:
    'https://shopify.dev/docs/apps/build/authentication-authorization/access-tokens/offline-access-tokens',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: NANGO,
    accessToken: PAGE,
    reuse: RETRY,
    refreshToken: RETRY,
    signIn: NANGO,
  },
};
