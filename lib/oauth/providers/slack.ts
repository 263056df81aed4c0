import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { throttled } from '../errorMeanings.ts';
import { documented, HOUR_MS, NANGO, type ProviderProfile, reported, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented('https://docs.slack.dev/authentication/using-token-rotation');

/** Slack with token rotation. A used refresh token is revoked. */
export const slack: ProviderProfile = {
  id: 'slack',
  title: 'Slack',
  tokenUri: 'https://slack.com/api/oauth.v2.access',
  clientAuthentication: 'client_secret_post',
  reuse: 'single_use',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: 12 * HOUR_MS,
    errors: [
      {
        // https://docs.slack.dev/reference/methods/oauth.v2.access
        when: { error: 'team_added_to_org' },
        means: throttled('the workspace is being moved to an organization'),
        unmistakable: true,
      },
    ],
  },
  signIn: {
    ...USUAL_SIGN_IN,
    authorizationUri: 'https://slack.com/oauth/v2/authorize',
    noLoopback: 'Slack takes only https redirect URIs.',
  },
  note: 'Token rotation must be on for the app. Scopes are separated by commas.',
  source: 'https://docs.slack.dev/authentication/using-token-rotation',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: NANGO,
    accessToken: PAGE,
    reuse: PAGE,
    signIn: NANGO,
    redirect: reported('https://next-auth.js.org/providers/slack', '2026-11-26'),
  },
};
