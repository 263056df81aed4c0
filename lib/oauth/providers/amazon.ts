import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, HOUR_MS, NANGO, type ProviderProfile, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented('https://developer.amazon.com/docs/login-with-amazon/refresh-token.html');

/** Login with Amazon (Selling Partner API, Ads). A refresh token stays valid until it is revoked. */
export const amazon: ProviderProfile = {
  id: 'amazon',
  title: 'Login with Amazon',
  tokenUri: 'https://api.amazon.com/auth/o2/token',
  hosts: ['api.amazon.co.uk', 'api.amazon.co.jp'],
  clientAuthentication: 'client_secret_post',
  reuse: 'reusable',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: Number.POSITIVE_INFINITY,
    defaultExpiresInMs: HOUR_MS,
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: 'https://www.amazon.com/ap/oa' },
  note: 'Sellers authorize an application of the Selling Partner API in Seller Central (`spapi_oauth_code`), and `rotator connect` cannot do that sign-in: take the refresh token of that authorization with `rotator import`. The client secret of the Selling Partner API must be replaced every 180 days; refresh tokens survive it. A public application of that API must be authorized again every 365 days.',
  source: 'https://developer.amazon.com/docs/login-with-amazon/refresh-token.html',
  sources: {
    tokenUri: documented('https://developer.amazon.com/docs/amazon-data-portability/lwa-access-token.html'),
    clientAuthentication: documented(
      'https://developer.amazon.com/docs/amazon-data-portability/lwa-access-token.html',
    ),
    accessToken: PAGE,
    reuse: PAGE,
    signIn: NANGO,
    others: documented(
      'https://developer-docs.amazon.com/sp-api/docs/website-authorization-workflow',
      '2026-11-26',
    ),
  },
};
