import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { DAY_MS, type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Intuit QuickBooks Online. The refresh token changes about once a day. The documentation does not say how long the previous one
 * works, so the profile assumes single use. A refresh token expires after 100 days without use, and always after five years.
 */
export const intuit: ProviderProfile = {
  id: 'intuit',
  title: 'Intuit QuickBooks',
  tokenUri: () => 'https://oauth.platform.intuit.com/oauth2/v1/tokens/bearer',
  parameters: scopeOnly,
  clientAuthentication: 'client_secret_basic',
  behavior: { ...CAREFUL_BEHAVIOR, refreshTokenLifetimeMs: 100 * DAY_MS },
  signIn: USUAL_SIGN_IN,
  needs: [],
  source: 'https://developer.intuit.com/app/developer/qbo/docs/develop/authentication-and-authorization/faq',
};
