import type { Problem } from '../errors.ts';

/** How the client proves its identity at the token endpoint (RFC 6749 section 2.3.1). */
export type ClientAuthentication = 'client_secret_basic' | 'client_secret_post';

/** One named client at one token endpoint for one resource, ready to be used: every default is filled in. */
export interface Connection {
  readonly name: string;
  readonly provider: string;
  readonly enabled: boolean;
  readonly tokenUri: string;
  /** May the token endpoint be in a private network? */
  readonly allowPrivateNetwork: boolean;
  /** The client id itself, or undefined where it is a secret of the credential vault. */
  readonly clientId: string | undefined;
  readonly clientAuthentication: ClientAuthentication;
  /** Sent with each grant beside the protocol's own: `scope`, `resource` and whatever the provider wants. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly secrets: {
    readonly clientId: string;
    /** In the order in which they are tried. */
    readonly clientSecrets: readonly string[];
    readonly refreshToken: string;
    readonly accessToken: string;
  };
  /** Addresses of the vaults, without a slash at the end. */
  readonly vaults: { readonly credential: string; readonly token: string };
  /**
   * How long after its first use a refresh token may be used again, in milliseconds: 0 for single use,
   * Infinity for tokens that stay usable.
   */
  readonly refreshTokenGraceMs: number;
  /** Renew this long before expiry, in milliseconds; undefined: after two thirds of the lifetime. */
  readonly renewBeforeMs: number | undefined;
  /** The lifetime of an access token whose answer does not say, in milliseconds. */
  readonly assumedLifetimeMs: number;
  /** May a published secret that somebody else made be overwritten? */
  readonly adopt: boolean;
  /** Changes when the entry changes in a way that may cure a refused grant. Holds no secret. */
  readonly fingerprint: string;
}

/** A connection whose entry cannot be used; it is reported, and stops nobody else. */
export interface InvalidConnection {
  readonly name: string;
  readonly problem: Problem;
}

/** What the configuration says now. */
export interface Connections {
  readonly valid: readonly Connection[];
  readonly invalid: readonly InvalidConnection[];
}
