import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, HOUR_MS, NANGO, type ProviderProfile, reported, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented('https://developer.ebay.com/api-docs/static/oauth-refresh-token-request.html');

/** eBay. A token response has no refresh token: the first one stays in use for 18 months. */
export const ebay: ProviderProfile = {
  id: 'ebay',
  title: 'eBay',
  tokenUri: 'https://api.ebay.com/identity/v1/oauth2/token',
  hosts: ['api.sandbox.ebay.com'],
  clientAuthentication: 'client_secret_basic',
  reuse: 'reusable',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: Number.POSITIVE_INFINITY,
    defaultExpiresInMs: 2 * HOUR_MS,
    // 18 months, as the first response says: 47,304,000 s.
    refreshTokenAbsoluteMs: 47_304_000_000,
  },
  signIn: {
    ...USUAL_SIGN_IN,
    authorizationUri: 'https://auth.ebay.com/oauth2/authorize',
    noLoopback: 'eBay returns to a RuName, a name that it gives to an https address.',
  },
  source: 'https://developer.ebay.com/api-docs/static/oauth-refresh-token-request.html',
  sources: {
    tokenUri: PAGE,
    clientAuthentication: NANGO,
    accessToken: reported('https://gist.github.com/mudassaralichouhan'),
    reuse: PAGE,
    refreshToken: reported('https://gist.github.com/mudassaralichouhan'),
    signIn: NANGO,
    redirect: documented('https://developer.ebay.com/api-docs/static/oauth-redirect-uri.html', '2026-11-26'),
  },
};
