import type { ClientAuthentication, TokenBehavior } from '../../rotation/core/connection.ts';

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

/** The settings of a configuration entry that a profile uses. */
export interface ProfileEntry {
  /** Directory (tenant) id or a verified domain name. */
  readonly tenant?: string | undefined;
  /** Address of the resource, an absolute URL. */
  readonly serviceUrl?: string | undefined;
  /** Space-separated scopes (RFC 6749 section 3.3). */
  readonly scope?: string | undefined;
}

/** The facts about a provider that a sign-in needs in addition to its metadata. */
export interface SignInRules {
  /** The address on this machine to which the browser returns, unless another one is registered. */
  readonly redirectUri: string;
  /**
   * Whether to send `prompt=consent` with the scope `offline_access`. Without it, OpenID Connect servers ignore the scope
   * (OpenID Connect Core 1.0 section 11).
   */
  readonly promptsForConsent: boolean;
  /** Whether to request those of `openid` and `offline_access` that the metadata lists, if the user sets no scope. */
  readonly takesScopeFromMetadata: boolean;
}

/** The endpoints of a sign-in. */
export interface SignInEndpoints {
  readonly authorizationEndpoint: string;
  readonly deviceEndpoint: string;
}

/** The facts about a provider: the defaults of its connections. */
export interface ProviderProfile {
  readonly id: ProviderId;
  readonly title: string;
  /** The token endpoint, if it follows from the entry; undefined if the entry must name it. */
  readonly tokenUri?: (entry: ProfileEntry) => string;
  /**
   * Parameters that are sent with each token request unless the entry sets others.
   * @throws TypeError if `serviceUrl` is not an absolute URL
   */
  readonly parameters: (entry: ProfileEntry) => Record<string, string>;
  readonly clientAuthentication: ClientAuthentication;
  /** The behavior of the provider's connections, unless their entries set other values. */
  readonly behavior: TokenBehavior;
  readonly signIn: SignInRules;
  /** The endpoints that follow from a token endpoint of this provider, if its metadata cannot name them. */
  readonly endpointsBeside?: (tokenUri: string) => SignInEndpoints | undefined;
  /** The revocation endpoint (RFC 7009) that belongs to a token endpoint of this provider, if it has one. */
  readonly revocationUri?: (tokenUri: string) => string | undefined;
  /** What an account owner or an administrator does to revoke the access, if the provider has no such endpoint. Begins with a verb. */
  readonly revokeByHand?: string;
  /** Whether an entry that names no provider belongs to this one. */
  readonly recognizes?: (entry: { tokenUri: string; serviceUrl?: string | undefined }) => boolean;
  /** What an entry must name. */
  readonly needs: readonly ('tenant' | 'serviceUrl' | 'tokenUri')[];
  /** The same for the grant `client_credentials`, if that needs more. */
  readonly needsForItself?: readonly ('tenant' | 'serviceUrl' | 'tokenUri')[];
  /** The provider's page that documents the facts of this profile. */
  readonly source: string;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** `scope` as the only parameter, or no parameter if the entry has no scope: the provider then keeps the granted one. */
export function scopeOnly({ scope }: ProfileEntry): Record<string, string> {
  return scope ? { scope } : {};
}

/** The address beside a token endpoint, if its path ends as the provider documents it. */
export function beside(tokenPath: string, otherPath: string) {
  return (tokenUri: string): string | undefined => {
    const url = URL.parse(tokenUri);
    if (!url?.pathname.endsWith(tokenPath)) return undefined;
    return `${url.origin}${url.pathname.slice(0, -tokenPath.length)}${otherPath}`;
  };
}

/** The sign-in rules of a provider without special ones. */
export const USUAL_SIGN_IN: SignInRules = {
  redirectUri: 'http://127.0.0.1/callback',
  promptsForConsent: true,
  takesScopeFromMetadata: false,
};
