import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, HOUR_MS, type ProviderProfile, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented('https://docs.gitlab.com/api/oauth2/');

/** GitLab. A refresh ends the access token and the refresh token. */
export const gitlab: ProviderProfile = {
  id: 'gitlab',
  title: 'GitLab',
  tokenUri: 'https://gitlab.com/oauth/token',
  clientAuthentication: 'client_secret_post',
  reuse: 'single_use',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: 2 * HOUR_MS,
    accessTokenEndsAtRefresh: true,
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/oauth/authorize', repeatsRedirectUri: true },
  revocationUri: '/oauth/revoke',
  note: 'A server of your own has another `tokenUri` with the same path. Token requests must have the parameter `redirect_uri` of the sign-in.',
  source: 'https://docs.gitlab.com/api/oauth2/',
  sources: {
    tokenUri: PAGE,
    clientAuthentication: PAGE,
    accessToken: PAGE,
    reuse: PAGE,
    signIn: PAGE,
    revocation: PAGE,
  },
};
