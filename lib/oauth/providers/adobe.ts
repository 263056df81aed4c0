import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import {
  DAY_MS,
  documented,
  NANGO,
  type ProviderProfile,
  reported,
  UNVERIFIED,
  USUAL_SIGN_IN,
} from './profile.ts';

const PAGE = documented('https://developer.adobe.com/translate-lipsync/getting_started');

/** Adobe IMS. Each use of a refresh token ends it. */
export const adobe: ProviderProfile = {
  id: 'adobe',
  title: 'Adobe',
  tokenUri: 'https://ims-na1.adobelogin.com/ims/token/v3',
  clientAuthentication: 'client_secret_post',
  reuse: 'single_use',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: DAY_MS,
  },
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/ims/authorize/v2', scopes: ['offline_access'] },
  revocationUri: '/ims/revoke',
  note: 'Scopes are separated by commas.',
  source: 'https://developer.adobe.com/translate-lipsync/getting_started',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: UNVERIFIED,
    accessToken: PAGE,
    reuse: reported(
      'https://docs.gitguardian.com/secrets-detection/secrets-detection-engine/detectors/specifics/adobe_refresh_token',
    ),
    signIn: NANGO,
    revocation: reported(
      'https://docs.gitguardian.com/secrets-detection/secrets-detection-engine/detectors/specifics/adobe_refresh_token',
    ),
  },
};
