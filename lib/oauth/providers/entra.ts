import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import { entraErrors } from './entraErrors.ts';
import {
  DAY_MS,
  type ProfileEntry,
  type ProviderProfile,
  type SignInEndpoints,
  USUAL_SIGN_IN,
} from './profile.ts';

/**
 * `organizations` rather than `common`: the only difference is that it excludes personal Microsoft accounts, which no
 * business application uses. Applications of a single tenant must name theirs (AADSTS50194).
 */
const DEFAULT_TENANT = 'organizations';

/** The v2.0 token endpoint of the public cloud. For national clouds, set `tokenUri`. */
function entraTokenUri({ tenant = DEFAULT_TENANT }: ProfileEntry): string {
  return `https://login.microsoftonline.com/${encodeURIComponent(tenant)}/oauth2/v2.0/token`;
}

/** Whether the address belongs to Entra ID, in any cloud. */
export function isEntra(address: string): boolean {
  return /^https:\/\/login\.microsoftonline\.[^/]+\//.test(address);
}

/**
 * The endpoints differ only in the last part of the path. The metadata cannot name them: the issuer of `organizations` is a
 * pattern, not a valid address.
 */
function entraEndpoints(tokenUri: string): SignInEndpoints | undefined {
  const base = /^(https:\/\/[^/]+\/[^/]+\/oauth2\/v2\.0)\/token$/.exec(
    isEntra(tokenUri) ? tokenUri : '',
  )?.[1];
  if (base === undefined) return undefined;
  return { authorizationEndpoint: `${base}/authorize`, deviceEndpoint: `${base}/devicecode` };
}

/** Entra returns a new refresh token only for the scope `offline_access`; without it, the old token expires after 90 days. */
export function withOfflineAccess(scope: string): string {
  const scopes = scope.split(/\s+/).filter((each) => each !== '');
  return scopes.includes('offline_access') ? scopes.join(' ') : [...scopes, 'offline_access'].join(' ');
}

/** Microsoft Entra ID. Each use returns a new refresh token, and the old one stays usable. */
export const entra: ProviderProfile = {
  id: 'entra',
  title: 'Microsoft Entra ID',
  tokenUri: entraTokenUri,
  parameters: ({ scope }) => (scope ? { scope: withOfflineAccess(scope) } : {}),
  clientAuthentication: 'client_secret_post',
  behavior: {
    ...CAREFUL_BEHAVIOR,
    refreshTokenGraceMs: Number.POSITIVE_INFINITY,
    refreshTokenLifetimeMs: 90 * DAY_MS,
    errors: entraErrors,
  },
  signIn: {
    ...USUAL_SIGN_IN,
    // Entra accepts any port of localhost without registration, but no other loopback address.
    redirectUri: 'http://localhost/',
    // Entra issues a refresh token without it. With it, Entra would ask for an administrator's consent.
    promptsForConsent: false,
  },
  endpointsBeside: entraEndpoints,
  recognizes: ({ tokenUri, serviceUrl }) => isEntra(tokenUri) && serviceUrl === undefined,
  // Entra ID has no revocation endpoint. https://learn.microsoft.com/graph/api/user-revokesigninsessions
  revokeByHand: 'Revoke the sign-in sessions of the user in the Entra admin center.',
  needs: [],
  // Without a user, nothing tells Entra which directory is meant.
  needsForItself: ['tenant'],
  source: 'https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens',
};
