import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { DAY_MS, HOUR_MS, NANGO, type ProviderProfile, reported, USUAL_SIGN_IN } from './profile.ts';

const REPORTED = reported(
  'https://github.com/anthropics/knowledge-work-plugins/blob/main/partner-built/zoom-plugin/skills/oauth/concepts/token-lifecycle.md',
);

/** Zoom (user-managed applications). Each use replaces the refresh token. */
export const zoom: ProviderProfile = {
  id: 'zoom',
  title: 'Zoom',
  tokenUri: 'https://zoom.us/oauth/token',
  clientAuthentication: 'client_secret_basic',
  reuse: 'single_use',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: HOUR_MS,
    refreshTokenIdleMs: 90 * DAY_MS,
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/oauth/authorize' },
  source:
    'https://github.com/anthropics/knowledge-work-plugins/blob/main/partner-built/zoom-plugin/skills/oauth/concepts/token-lifecycle.md',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: reported('https://github.com/giorgosavgeris/passport-zoom-oauth2/issues/6'),
    accessToken: REPORTED,
    reuse: REPORTED,
    refreshToken: REPORTED,
    signIn: NANGO,
  },
};
