import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { type ProviderProfile, scopeOnly, USUAL_SIGN_IN } from './profile.ts';

/**
 * Any provider that conforms to RFC 6749. Basic authentication is the method that every server must support
 * (section 2.3.1). The profile assumes that a refresh token is for single use, which is the safe choice.
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
