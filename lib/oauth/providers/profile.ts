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

/** What an entry of the configuration may say that a profile makes use of. */
export interface ProfileEntry {
  /** Directory (tenant) id or a verified domain name. */
  readonly tenant?: string | undefined;
  /** Address of the resource, an absolute URL. */
  readonly serviceUrl?: string | undefined;
  /** Space-separated scopes (RFC 6749 section 3.3). */
  readonly scope?: string | undefined;
}

/** What a sign-in needs to know about a provider beside its metadata. */
export interface SignInRules {
  /** Where the browser comes back to on this machine, unless another address is registered. */
  readonly redirectUri: string;
  /**
   * Send `prompt=consent` with the scope `offline_access`? Servers of OpenID Connect ignore the scope without it (OpenID
   * Connect Core 1.0 section 11).
   */
  readonly promptsForConsent: boolean;
  /** If nobody names a scope, ask for `openid` and `offline_access` as far as the metadata lists them? */
  readonly takesScopeFromMetadata: boolean;
}

/** The endpoints of a sign-in. */
export interface SignInEndpoints {
  readonly authorizationEndpoint: string;
  readonly deviceEndpoint: string;
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
  /** Connections of the provider have it whole, with what their entries say instead. */
  readonly behavior: TokenBehavior;
  readonly signIn: SignInRules;
  /** The endpoints that stand beside a token endpoint of this provider, where its metadata cannot tell them. */
  readonly endpointsBeside?: (tokenUri: string) => SignInEndpoints | undefined;
  /** Does an entry that names no provider belong to this one? */
  readonly recognizes?: (entry: { tokenUri: string; serviceUrl?: string | undefined }) => boolean;
  /** What an entry must name. */
  readonly needs: readonly ('tenant' | 'serviceUrl' | 'tokenUri')[];
  /** The provider's page that this profile was written from. */
  readonly source: string;
}

export const HOUR_MS = 3_600_000;
export const DAY_MS = 24 * HOUR_MS;

/** `scope` as the only parameter, or none where the entry has none: the provider then keeps what was granted. */
export function scopeOnly({ scope }: ProfileEntry): Record<string, string> {
  return scope ? { scope } : {};
}

/** A sign-in at a provider of which nothing else is known. */
export const USUAL_SIGN_IN: SignInRules = {
  redirectUri: 'http://127.0.0.1/callback',
  promptsForConsent: true,
  takesScopeFromMetadata: false,
};
