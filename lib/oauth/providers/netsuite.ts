import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import {
  DAY_MS,
  documented,
  HOUR_MS,
  NANGO,
  type ProviderProfile,
  reported,
  USUAL_SIGN_IN,
} from './profile.ts';

const PAGE = documented(
  'https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_158255317571.html',
);

/** Oracle NetSuite. The refresh token of a confidential client stays the same and ends after seven days. */
export const netsuite: ProviderProfile = {
  id: 'netsuite',
  title: 'Oracle NetSuite',
  tokenUri: 'https://{tenant}.suitetalk.api.netsuite.com/services/rest/auth/oauth2/v1/token',
  tenant: { means: 'the account id, as in the address of the account' },
  clientAuthentication: 'client_secret_basic',
  reuse: 'reusable',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: Number.POSITIVE_INFINITY,
    defaultExpiresInMs: HOUR_MS,
    refreshTokenAbsoluteMs: 7 * DAY_MS,
  },
  signIn: {
    ...USUAL_SIGN_IN,
    authorizationUri: 'https://{tenant}.app.netsuite.com/app/login/oauth2/authorize.nl',
    scopes: ['rest_webservices'],
  },
  note: 'The account owner must consent every week. Refresh tokens of public clients are for single use: set `refreshTokenGrace` to 0.',
  source: 'https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_158255317571.html',
  sources: {
    tokenUri: documented(
      'https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_160855594402.html',
    ),
    clientAuthentication: documented(
      'https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/section_160855594402.html',
    ),
    accessToken: documented(
      'https://docs.oracle.com/en/cloud/saas/netsuite/ns-online-help/article_0907013045.html',
    ),
    reuse: PAGE,
    refreshToken: reported('https://docs.unified.to/skills/netsuite-oauth-app/SKILL.md'),
    signIn: NANGO,
  },
};
