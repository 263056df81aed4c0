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

const PAGE = documented(
  'https://www.servicenow.com/docs/r/zurich/platform-security/authentication/t_ManageTokens.html',
);
const PARAMS = documented(
  'https://docs.servicenow.com/bundle/xanadu-platform-security/page/administer/security/reference/r_OAuthAPIRequestParameters.html',
);

/** ServiceNow. The response returns the current refresh token, whose end does not move. */
export const servicenow: ProviderProfile = {
  id: 'servicenow',
  title: 'ServiceNow',
  tokenUri: 'https://{tenant}.service-now.com/oauth_token.do',
  tenant: { means: 'the name of the instance' },
  clientAuthentication: 'client_secret_post',
  reuse: 'reusable',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: Number.POSITIVE_INFINITY,
    defaultExpiresInMs: 30 * MINUTE_MS,
    refreshTokenAbsoluteMs: 100 * DAY_MS,
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/oauth_auth.do' },
  note: 'The lifetimes are settings of the OAuth application in the instance; the values here are the defaults.',
  source: 'https://www.servicenow.com/docs/r/zurich/platform-security/authentication/t_ManageTokens.html',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: PARAMS,
    accessToken: PAGE,
    reuse: PARAMS,
    refreshToken: reported('https://snpro.dev/2025/04/01/servicenow-oauth-refresh-token-issue'),
    signIn: NANGO,
  },
};
