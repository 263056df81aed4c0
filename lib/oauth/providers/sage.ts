import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, MINUTE_MS, NANGO, type ProviderProfile, reported, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented('https://developer.sage.com/accounting/guides/authenticating/authentication/');

/** Sage Accounting. Access tokens live for 5 min, and each use replaces the refresh token. */
export const sage: ProviderProfile = {
  id: 'sage',
  title: 'Sage Accounting',
  tokenUri: 'https://oauth.accounting.sage.com/token',
  clientAuthentication: 'client_secret_post',
  reuse: 'single_use',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: 5 * MINUTE_MS,
  },
  signIn: {
    ...USUAL_SIGN_IN,
    authorizationUri: 'https://www.sageone.com/oauth2/auth/central',
    parameters: { filter: 'apiv3.1' },
  },
  note: 'About 430 token requests a day are sent, each with a single-use token: a lost response is about ten times as likely as with tokens of an hour.',
  source: 'https://developer.sage.com/accounting/guides/authenticating/authentication/',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: PAGE,
    accessToken: reported('https://www.maesn.com/blogs/sage-accounting-api-integration'),
    reuse: reported('https://www.maesn.com/blogs/sage-accounting-api-integration'),
    signIn: NANGO,
  },
};
