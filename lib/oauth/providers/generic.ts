import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Any provider that keeps to RFC 6749. Basic authentication is the method that every server must offer
 * (section 2.3.1), and a refresh token is taken for single use, which is the careful guess.
 */
export const generic: ProviderProfile = {
  id: 'generic',
  title: 'Any OAuth 2.0 provider',
  parameters: scopeOnly,
  clientAuthentication: 'client_secret_basic',
  behavior: CAREFUL_BEHAVIOR,
  signIn: { ...USUAL_SIGN_IN, takesScopeFromMetadata: true },
  needs: ['tokenUri'],
  source: 'https://www.rfc-editor.org/rfc/rfc6749#section-6',
};
