import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { NANGO, type ProviderProfile, reported, UNVERIFIED, USUAL_SIGN_IN } from './profile.ts';

/** Docusign. A refresh token is valid for 30 days, and each use ends it. */
export const docusign: ProviderProfile = {
  id: 'docusign',
  title: 'Docusign',
  tokenUri: 'https://account.docusign.com/oauth/token',
  hosts: ['account-d.docusign.com'],
  clientAuthentication: 'client_secret_basic',
  reuse: 'single_use',
  behavior: CAREFUL_BEHAVIOR,
  signIn: { ...USUAL_SIGN_IN, authorizationUri: '/oauth/auth', scopes: ['extended'] },
  note: 'A refresh token is valid for 30 days. Each use adds another 30 days only if the sign-in had the scope `extended`. The developer environment has the host `account-d.docusign.com`.',
  source: 'https://developers.docusign.com/platform/auth/confidential-authcode-get-token/',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: NANGO,
    accessToken: UNVERIFIED,
    reuse: reported('https://www.volcengine.com/article/3402631'),
    signIn: NANGO,
  },
};
