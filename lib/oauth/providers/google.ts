import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { documented, NANGO, type ProviderProfile, readInCode, UNVERIFIED, USUAL_SIGN_IN } from './profile.ts';

const EXPIRATION = documented('https://developers.google.com/identity/protocols/oauth2#expiration');

/** Google. A refresh token does not change and can be used repeatedly. */
export const google: ProviderProfile = {
  id: 'google',
  title: 'Google',
  tokenUri: 'https://oauth2.googleapis.com/token',
  clientAuthentication: 'client_secret_post',
  reuse: 'reusable',
  behavior: { ...CAREFUL_BEHAVIOR, refreshTokenGraceMs: Number.POSITIVE_INFINITY },
  signIn: {
    ...USUAL_SIGN_IN,
    authorizationUri: 'https://accounts.google.com/o/oauth2/v2/auth',
    // Without both, Google issues a refresh token only at the first consent, or not at all.
    parameters: { access_type: 'offline', prompt: 'consent' },
  },
  revocationUri: 'https://oauth2.googleapis.com/revoke',
  note: 'A refresh token expires after six months without use, or after 7 days while the consent screen is in testing. It also ends silently if a client has received too many for the same account.',
  source: 'https://developers.google.com/identity/protocols/oauth2#expiration',
  sources: {
    tokenUri: NANGO,
    clientAuthentication: readInCode('https://github.com/golang/oauth2/blob/master/internal/token.go'),
    accessToken: UNVERIFIED,
    reuse: EXPIRATION,
    signIn: NANGO,
    revocation: documented('https://developers.google.com/identity/protocols/oauth2/web-server#tokenrevoke'),
  },
};
