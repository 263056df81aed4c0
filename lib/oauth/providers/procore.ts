import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, MINUTE_MS, NANGO, type ProviderProfile, USUAL_SIGN_IN } from './profile.ts';

const PAGE = documented('https://developers.procore.com/documentation/content/troubleshooting');

/** Procore. A refresh token works once, even if the response is lost. */
export const procore: ProviderProfile = {
  id: 'procore',
  title: 'Procore',
  tokenUri: 'https://login.procore.com/oauth/token',
  clientAuthentication: 'client_secret_post',
  reuse: 'single_use',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: 90 * MINUTE_MS,
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/oauth/authorize' },
  source: 'https://developers.procore.com/documentation/content/troubleshooting',
  sources: {
    tokenUri: PAGE,
    clientAuthentication: PAGE,
    accessToken: PAGE,
    reuse: PAGE,
    signIn: NANGO,
  },
};
