import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { DAY_MS, type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Intuit QuickBooks Online. The refresh token is another one about once a day. For how long the one before works, the
 * documentation does not say, so it is taken for single use. A refresh token that is not used for 100 days dies, any after five years.
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
