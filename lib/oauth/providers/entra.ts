import { CAREFUL_BEHAVIOR } from '../../rotation/core/connection.ts';
import {
  DAY_MS,
  type ProfileEntry,
  type ProviderProfile,
  type SignInEndpoints,
  USUAL_SIGN_IN,
} from './profile.ts';

/**
 * `organizations` rather than `common`: it differs only in leaving out personal Microsoft accounts, which no
 * business application is behind. Applications of a single tenant must name theirs (AADSTS50194).
 */
const DEFAULT_TENANT = 'organizations';

/** The v2.0 token endpoint of the public cloud. National clouds are reached by naming `tokenUri`. */
function entraTokenUri({ tenant = DEFAULT_TENANT }: ProfileEntry): string {
  return `https://login.microsoftonline.com/${encodeURIComponent(tenant)}/oauth2/v2.0/token`;
}

/** Is it an address of Entra ID, in any cloud? */
export function isEntra(address: string): boolean {
  return /^https:\/\/login\.microsoftonline\.[^/]+\//.test(address);
}

/** They stand side by side; the issuer in the metadata of `organizations` is a pattern and no address. */
function entraEndpoints(tokenUri: string): SignInEndpoints | undefined {
  const base = /^(https:\/\/[^/]+\/[^/]+\/oauth2\/v2\.0)\/token$/.exec(
    isEntra(tokenUri) ? tokenUri : '',
  )?.[1];
  if (base === undefined) return undefined;
  return { authorizationEndpoint: `${base}/authorize`, deviceEndpoint: `${base}/devicecode` };
}

/** Entra gives a new refresh token only where `offline_access` is asked for; without one the old one dies in 90 days. */
export function withOfflineAccess(scope: string): string {
  const scopes = scope.split(/\s+/).filter((each) => each !== '');
  return scopes.includes('offline_access') ? scopes.join(' ') : [...scopes, 'offline_access'].join(' ');
}

/** Microsoft Entra ID. Each use gives a new refresh token and leaves the old one usable. */
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
  },
  signIn: {
    ...USUAL_SIGN_IN,
    // Any port of localhost is taken without being registered, and no other loopback address.
    redirectUri: 'http://localhost/',
    // It gives a refresh token without it, and would ask for an administrator instead.
    promptsForConsent: false,
  },
  endpointsBeside: entraEndpoints,
  recognizes: ({ tokenUri, serviceUrl }) => isEntra(tokenUri) && serviceUrl === undefined,
  needs: [],
  source: 'https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens',
};
