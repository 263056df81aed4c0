import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, type ProviderProfile, UNVERIFIED, USUAL_SIGN_IN } from './profile.ts';

const RFC = documented('https://www.rfc-editor.org/rfc/rfc6749');

/**
 * Any provider that conforms to RFC 6749. Basic authentication is the method that every server must support
 * (section 2.3.1). The profile assumes that a refresh token is for single use, which is the safe choice.
 */
export const generic: ProviderProfile = {
  id: 'generic',
  title: 'Any OAuth 2.0 provider',
  clientAuthentication: 'client_secret_basic',
  reuse: 'unknown',
  behavior: CAREFUL_BEHAVIOR,
  signIn: { ...USUAL_SIGN_IN, takesScopeFromMetadata: true },
  source: 'https://www.rfc-editor.org/rfc/rfc6749#section-6',
  sources: { tokenUri: RFC, clientAuthentication: RFC, accessToken: UNVERIFIED, reuse: RFC },
};
