import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { MINUTE_MS, type ProviderProfile, reported, UNVERIFIED, USUAL_SIGN_IN } from './profile.ts';

const REPORTED = reported(
  'https://wjw465150.gitbooks.io/keycloak-documentation/server_admin/topics/sessions/timeouts.html',
);

/** Keycloak. A switch of the realm decides whether a refresh token can be used again, and how often. */
export const keycloak: ProviderProfile = {
  id: 'keycloak',
  title: 'Keycloak',
  tokenPath: '/protocol/openid-connect/token',
  clientAuthentication: 'client_secret_basic',
  reuse: 'setting',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    defaultExpiresInMs: 5 * MINUTE_MS,
  },
  signIn: { ...USUAL_SIGN_IN, takesScopeFromMetadata: true },
  revocationUri: '/protocol/openid-connect/revoke',
  note: 'Set `tokenUri` to `https://HOST/realms/REALM/protocol/openid-connect/token`. The lifetimes are settings of the realm. Without the scope `offline_access`, refresh tokens end with the session. Set `refreshTokenGrace` to "unlimited" if "Revoke Refresh Token" is off.',
  source: 'https://wjw465150.gitbooks.io/keycloak-documentation/server_admin/topics/sessions/timeouts.html',
  sources: {
    tokenUri: UNVERIFIED,
    clientAuthentication: UNVERIFIED,
    accessToken: reported('https://phasetwo.io/docs/security/tokens-and-sessions/'),
    reuse: REPORTED,
    revocation: UNVERIFIED,
  },
};
