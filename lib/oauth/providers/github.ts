import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, HOUR_MS, NANGO, type ProviderProfile, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented(
  'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens',
);

/** GitHub Apps (user access tokens). A refresh token works once, and its use ends the access token as well. */
export const github: ProviderProfile = {
  id: 'github',
  title: 'GitHub',
  tokenUri: 'https://github.com/login/oauth/access_token',
  clientAuthentication: 'client_secret_post',
  reuse: 'single_use',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: 8 * HOUR_MS,
    // As each response says.
    refreshTokenIdleMs: 15_811_200_000,
    accessTokenEndsAtRefresh: true,
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/login/oauth/authorize', deviceUri: '/login/device/code' },
  revokeByHand: 'Revoke the application in the settings of the GitHub account, under Applications.',
  note: 'Register a GitHub App with expiring user tokens; those of an OAuth App do not expire. A GitHub App has permissions instead of scopes, so leave out `scope`. GitHub Enterprise Server has another `tokenUri` with the same path.',
  source:
    'https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app/refreshing-user-access-tokens',
  sources: {
    tokenUri: PAGE,
    clientAuthentication: PAGE,
    accessToken: PAGE,
    reuse: PAGE,
    refreshToken: PAGE,
    signIn: NANGO,
  },
};
