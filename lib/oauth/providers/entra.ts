import { DAY_MS, HOUR_MS, type ProfileEntry, type ProviderProfile } from './profile.ts';

/**
 * `organizations` rather than `common`: it differs only in leaving out personal Microsoft accounts, which no
 * business application is behind. Applications of a single tenant must name theirs (AADSTS50194).
 */
const DEFAULT_TENANT = 'organizations';

/** The v2.0 token endpoint of the public cloud. National clouds are reached by naming `tokenUri`. */
function entraTokenUri({ tenant = DEFAULT_TENANT }: ProfileEntry): string {
  return `https://login.microsoftonline.com/${encodeURIComponent(tenant)}/oauth2/v2.0/token`;
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
  refreshTokenGraceMs: Number.POSITIVE_INFINITY,
  assumedLifetimeMs: HOUR_MS,
  refreshTokenLifetimeMs: 90 * DAY_MS,
  needs: [],
  source: 'https://learn.microsoft.com/en-us/entra/identity-platform/refresh-tokens',
};
