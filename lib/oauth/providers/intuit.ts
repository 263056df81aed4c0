import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import {
  DAY_MS,
  documented,
  NANGO,
  type ProviderProfile,
  readInCode,
  reported,
  USUAL_SIGN_IN,
} from './profile.ts';

const FAQ =
  'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/faq';

/**
 * Intuit QuickBooks Online. The refresh token changes about once a day. Documentation of 2018 says that the previous one works for
 * another 24 hours; a later help article says that it ends.
 */
export const intuit: ProviderProfile = {
  id: 'intuit',
  title: 'Intuit QuickBooks',
  tokenUri: 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
  clientAuthentication: 'client_secret_basic',
  reuse: 'disputed',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: DAY_MS,
    refreshTokenGraceIsDisputed: true,
    refreshTokenIdleMs: 100 * DAY_MS,
    refreshTokenAbsoluteMs: 5 * 365 * DAY_MS,
  },
  signIn: {
    ...USUAL_SIGN_IN,
    authorizationUri: 'https://appcenter.intuit.com/connect/oauth2',
    noLoopback:
      'Intuit takes only https redirect URIs for production keys; those of a sandbox may have localhost.',
  },
  source: FAQ,
  sources: {
    tokenUri: NANGO,
    clientAuthentication: documented(FAQ),
    accessToken: documented(FAQ),
    reuse: reported('https://github.com/ruckus/quickbooks-ruby/issues/389'),
    refreshToken: readInCode('https://github.com/intuit/QuickBooks-V3-Java-SDK/releases/tag/v6.5.4'),
    signIn: NANGO,
    redirect: documented(
      'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/set-redirect-uri',
      '2026-11-26',
    ),
  },
};
