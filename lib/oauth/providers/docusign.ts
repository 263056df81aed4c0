import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { DAY_MS, type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Docusign. A refresh token is valid for 30 days. Each use returns a new one with another 30 days only if the first sign-in had
 * the scope `extended`. The developer environment has another `tokenUri` (`https://account-d.docusign.com/oauth/token`).
 */
export const docusign: ProviderProfile = {
  id: 'docusign',
  title: 'Docusign',
  tokenUri: () => 'https://account.docusign.com/oauth/token',
  parameters: scopeOnly,
  clientAuthentication: 'client_secret_basic',
  behavior: { ...CAREFUL_BEHAVIOR, refreshTokenLifetimeMs: 30 * DAY_MS },
  signIn: USUAL_SIGN_IN,
  needs: [],
  source: 'https://developers.docusign.com/platform/auth/confidential-authcode-get-token/',
};
