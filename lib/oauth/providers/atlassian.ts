import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import {
  DAY_MS,
  MINUTE_MS,
  NANGO,
  type ProviderProfile,
  reported,
  UNVERIFIED,
  USUAL_SIGN_IN,
} from './profile.ts';

/** A copy of Atlassian's page. The present page names no interval in the part that could be read. */
const COPY = reported('https://github.com/microsoft/generative-ai-for-beginners/issues/342');

/**
 * Atlassian (Jira, Confluence), OAuth 2.0 (3LO). Each use returns a new refresh token. Older documentation names an interval of
 * 10 min in which the used one still works.
 */
export const atlassian: ProviderProfile = {
  id: 'atlassian',
  title: 'Atlassian',
  tokenUri: 'https://auth.atlassian.com/oauth/token',
  hosts: ['auth.atlassian-us-gov-mod.com'],
  clientAuthentication: 'client_secret_post',
  reuse: 'disputed',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: 10 * MINUTE_MS,
    refreshTokenGraceIsDisputed: true,
    // Later documentation says 90 days.
    refreshTokenIdleMs: 30 * DAY_MS,
    refreshTokenAbsoluteMs: 365 * DAY_MS,
  },
  signIn: {
    ...USUAL_SIGN_IN,
    authorizationUri: '/authorize',
    scopes: ['offline_access'],
    parameters: { audience: 'api.atlassian.com' },
  },
  source: 'https://developer.atlassian.com/cloud/oauth/getting-started/refresh-tokens/',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: NANGO,
    accessToken: UNVERIFIED,
    reuse: COPY,
    refreshToken: COPY,
    signIn: NANGO,
  },
};
