import type { ClientAuthentication } from '../../rotation/core/connection.ts';

/** The profiles that this program knows. */
export type ProviderId =
  | 'generic'
  | 'entra'
  | 'dynamics365'
  | 'atlassian'
  | 'auth0'
  | 'docusign'
  | 'google'
  | 'hubspot'
  | 'intuit'
  | 'okta'
  | 'salesforce'
  | 'xero'
  | 'zoho';

/** What an entry of the configuration may say that a profile makes use of. */
export interface ProfileEntry {
  /** Directory (tenant) id or a verified domain name. */
  readonly tenant?: string | undefined;
  /** Address of the resource, an absolute URL. */
  readonly serviceUrl?: string | undefined;
  /** Space-separated scopes (RFC 6749 section 3.3). */
  readonly scope?: string | undefined;
}

/** What is known about a provider: the defaults of the connections that name it. */
export interface ProviderProfile {
  readonly id: ProviderId;
  readonly title: string;
  /** The token endpoint where it follows from the entry; undefined: the entry must name it. */
  readonly tokenUri?: (entry: ProfileEntry) => string;
  /**
   * Parameters that are sent with each grant unless the entry says otherwise.
   * @throws TypeError where `serviceUrl` is no absolute URL
   */
  readonly parameters: (entry: ProfileEntry) => Record<string, string>;
  readonly clientAuthentication: ClientAuthentication;
  /** How long after its first use a refresh token may be used again, in ms; Infinity: it stays usable. */
  readonly refreshTokenGraceMs: number;
  /** Lifetime of an access token whose answer does not say, in ms. */
  readonly assumedLifetimeMs: number;
  /** How long a refresh token lives as the provider documents it, in ms; told in docs/providers.md, and nothing is decided by it. */
  readonly refreshTokenLifetimeMs?: number;
  /** What an entry must name. */
  readonly needs: readonly ('tenant' | 'serviceUrl' | 'tokenUri')[];
  /** The provider's page that this profile was written from. */
  readonly source: string;
}

/** What RFC 6749 section 5.1 leaves open, as most providers fill it: 1 h. */
export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** `scope` as the only parameter, or none where the entry has none: the provider then keeps what was granted. */
export function scopeOnly({ scope }: ProfileEntry): Record<string, string> {
  return scope ? { scope } : {};
}
