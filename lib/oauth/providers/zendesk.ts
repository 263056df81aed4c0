import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, MINUTE_MS, NANGO, type ProviderProfile, UNVERIFIED, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented('https://support.zendesk.com/hc/en-us/articles/9182123625370');

/** Zendesk. A refresh deletes the previous access token and refresh token. */
export const zendesk: ProviderProfile = {
  id: 'zendesk',
  title: 'Zendesk',
  tokenUri: 'https://{tenant}.zendesk.com/oauth/tokens',
  tenant: { means: 'the subdomain' },
  clientAuthentication: 'client_secret_post',
  reuse: 'single_use',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: 30 * MINUTE_MS,
    accessTokenEndsAtRefresh: true,
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/oauth/authorizations/new' },
  note: 'A client that was made before 2026-04-30 must set `parameters.expires_in`, else its access tokens have no end and come without a refresh token.',
  source: 'https://support.zendesk.com/hc/en-us/articles/9182123625370',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: UNVERIFIED,
    accessToken: PAGE,
    reuse: PAGE,
    signIn: NANGO,
  },
};
