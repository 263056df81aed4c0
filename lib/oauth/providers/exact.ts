import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { throttled } from '../errorMeanings.ts';
import {
  DAY_MS,
  MINUTE_MS,
  NANGO,
  type ProviderProfile,
  readInCode,
  reported,
  USUAL_SIGN_IN,
} from './profile.ts';

const PICQER = readInCode(
  'https://github.com/picqer/exact-php-client/blob/main/src/Picqer/Financials/Exact/Connection.php',
);

/**
 * Exact Online. A refresh before 9 min 30 s of the 10 min of an access token is refused, and counts as an error. A refresh
 * token works once.
 */
export const exact: ProviderProfile = {
  id: 'exact',
  title: 'Exact Online',
  tokenUri: 'https://start.exactonline.{tenant}/api/oauth2/token',
  tenant: {
    means: 'the top-level domain of your country: nl, be, de, fr, es, co.uk or com',
    values: ['nl', 'be', 'de', 'fr', 'es', 'co.uk', 'com'],
  },
  clientAuthentication: 'client_secret_post',
  reuse: 'single_use',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: 10 * MINUTE_MS,
    refreshTokenIdleMs: 30 * DAY_MS,
    earliestRenewalMs: 9.5 * MINUTE_MS,
    requestsPerDay: 200,
    errors: [
      {
        // https://github.com/websmurf/laravel-exact-online/issues/31
        when: { error: 'access_denied', description: /access_token not expired/i },
        means: throttled('the access token is too young to be renewed'),
      },
    ],
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/api/oauth2/auth' },
  note: 'An application may send 200 token requests a day for each user, and more than 10 errors in an hour block it.',
  source: 'https://forums.invantive.com/t/impact-exact-online-api-adjustments-july-1-2021/3507',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: PICQER,
    accessToken: PICQER,
    reuse: reported('https://github.com/picqer/exact-php-client/issues/300'),
    refreshToken: reported(
      'https://forums.invantive.com/t/exact-online-error-message-old-refresh-token-used/2903',
    ),
    signIn: NANGO,
    others: reported('https://github.com/picqer/exact-php-client/issues/475'),
  },
};
