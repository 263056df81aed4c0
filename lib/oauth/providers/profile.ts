import type { ClientAuthentication, TokenBehavior } from '../../rotation/core/connection.ts';

/** Placeholders that an entry fills: `{tenant}`, and `{serviceOrigin}`, the origin of `serviceUrl`. */
type Template = string;

/**
 * An address beside a token endpoint. Either a path that takes the place of the token endpoint's own path, which also fits the
 * provider's other hosts, or a whole address that belongs to the token endpoint of the profile alone.
 */
export type Beside = Template;

/** The facts about a provider that a sign-in needs in addition to its metadata. */
export interface SignInRules {
  readonly authorizationUri?: Beside;
  /** The device authorization endpoint (RFC 8628). */
  readonly deviceUri?: Beside;
  /** The address on this machine to which the browser returns, unless another one is registered. */
  readonly redirectUri: string;
  /**
   * Why a sign-in cannot return to an http address of this machine, unless the user knows one that is registered: a whole sentence.
   * `rotator connect` then refuses before it asks for anything.
   */
  readonly noLoopback?: string;
  /**
   * Whether to send `prompt=consent` with the scope `offline_access`. Without it, OpenID Connect servers ignore the scope
   * (OpenID Connect Core 1.0 section 11).
   */
  readonly promptsForConsent: boolean;
  /** Whether to request those of `openid` and `offline_access` that the metadata lists, if the user sets no scope. */
  readonly takesScopeFromMetadata: boolean;
  /** The scopes without which the provider issues no refresh token. They are added to those that the user requests. */
  readonly scopes?: readonly string[];
  /** Sent with the authorization request in addition to the standard parameters. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** Sent with the request that exchanges the code. */
  readonly tokenParameters?: Readonly<Record<string, string>>;
  /** Whether token requests must repeat the redirect URI of the sign-in. */
  readonly repeatsRedirectUri?: true;
}

/** The endpoints of a sign-in. */
export interface SignInEndpoints {
  readonly authorizationEndpoint?: string;
  readonly deviceEndpoint?: string;
}

/**
 * How well a fact is known.
 * - `documented`: read on the provider's own page
 * - `code`: read in the code of a client that works with the provider, or in the provider's own
 * - `reported`: read in other people's accounts
 * - `unverified`: no source was read
 */
type Confidence = 'documented' | 'code' | 'reported' | 'unverified';

/** Where a fact was read. */
export interface Source {
  readonly confidence: Confidence;
  /** Missing: no source was read. */
  readonly page?: string;
  /** The day on which the fact was read: YYYY-MM-DD. */
  readonly date: string;
}

/** The groups of facts of a profile that have a source of their own. */
export interface Sources {
  readonly tokenUri: Source;
  readonly clientAuthentication: Source;
  /** The lifetime of an access token. */
  readonly accessToken: Source;
  /** What happens to a used refresh token. */
  readonly reuse: Source;
  /** How long a refresh token lives. Missing: the profile says nothing about it. */
  readonly refreshToken?: Source;
  readonly signIn?: Source;
  /** Whether a sign-in can return to an address of the user's machine. */
  readonly redirect?: Source;
  readonly revocation?: Source;
  /** What else is published with the token, and the limits on requests. */
  readonly others?: Source;
}

/**
 * What happens to a refresh token when it is used.
 * - `single_use`: it ends
 * - `grace`: it ends after `behavior.refreshTokenGraceMs`
 * - `disputed`: the sources name that time, and others say that it ends
 * - `reusable`: it stays valid
 * - `setting`: the application's or the tenant's settings decide; the profile assumes the strictest
 * - `unknown`: no source says it; the profile assumes single use
 */
export type Reuse = 'single_use' | 'grace' | 'disputed' | 'reusable' | 'setting' | 'unknown';

/** The facts about a provider: the defaults of its connections. Data only. */
export interface ProviderProfile {
  /** The `provider` of an entry. */
  readonly id: string;
  readonly title: string;
  /** The token endpoint. Missing, or with a placeholder that the entry does not fill: the entry must name its own. */
  readonly tokenUri?: Template;
  /** The end of the path of all token endpoints of this provider. Default: what follows the placeholders of `tokenUri`. */
  readonly tokenPath?: string;
  /** Other hosts that have the paths of `tokenUri`, such as those of national clouds. */
  readonly hosts?: readonly string[];
  /**
   * What the `tenant` of an entry is: a noun phrase. `otherwise` is used for the tokens of a user if an entry names none. `values` are all
   * that are accepted, in lower case: needed if the tenant is the end of a host name, because an entry could then name any host.
   */
  readonly tenant?: {
    readonly means: string;
    readonly otherwise?: string;
    readonly values?: readonly string[];
  };
  readonly clientAuthentication: ClientAuthentication;
  /**
   * Does the provider take a token of a managed identity as proof (RFC 7521 section 4.2)? Only then does its token endpoint get one without
   * an app setting. The profile must name the host of `tokenUri`.
   */
  readonly acceptsFederation?: true;
  /** The scope of each token request, if the entry names none. */
  readonly scope?: Template;
  /** With the grant `client_credentials`, the provider takes only one scope, and it must end so; in lower case. */
  readonly clientScopeEnd?: string;
  /** Scopes that are added to any scope of a token request. */
  readonly addedScopes?: readonly string[];
  /** Parameters of each token request, unless the entry sets others. */
  readonly parameters?: Readonly<Record<string, string>>;
  /** What happens to a used refresh token. `behavior.refreshTokenGraceMs` has the time. */
  readonly reuse: Reuse;
  /** The behavior of the provider's connections, unless their entries set other values. */
  readonly behavior: TokenBehavior;
  readonly signIn: SignInRules;
  /** The revocation endpoint (RFC 7009). */
  readonly revocationUri?: Beside;
  /** What an account owner or an administrator does to revoke the access, if the provider has no such endpoint. Begins with a verb. */
  readonly revokeByHand?: string;
  /** What an entry must name in addition to the token endpoint: a member, or a parameter as `parameters.NAME`. */
  readonly needs?: readonly ('serviceUrl' | `parameters.${string}`)[];
  /** The scheme under which the API takes the access token. Default: Bearer (RFC 6750). */
  readonly apiScheme?: string;
  /** What an operator must know: settings that change the facts, and limits. Whole sentences. */
  readonly note?: string;
  /** The provider's page that documents most of the profile. */
  readonly source: string;
  readonly sources: Sources;
}

export const MINUTE_MS = 60_000;
export const HOUR_MS = 60 * MINUTE_MS;
export const DAY_MS = 24 * HOUR_MS;

/** When the facts of the profiles were last read. */
const READ_ON = '2026-11-25';

/** The fact was read on the provider's own page. */
export function documented(page: string, date = READ_ON): Source {
  return { confidence: 'documented', page, date };
}

/** The fact was read in the code of a client, or of the provider. */
export function readInCode(page: string, date = READ_ON): Source {
  return { confidence: 'code', page, date };
}

/** The fact was read in other people's accounts. */
export function reported(page: string, date = READ_ON): Source {
  return { confidence: 'reported', page, date };
}

/** No source was read. */
export const UNVERIFIED: Source = { confidence: 'unverified', date: READ_ON };

/** A client with several hundred providers, which its users run in production. */
export const NANGO = readInCode(
  'https://github.com/NangoHQ/nango/blob/2f4c0af671e2/packages/providers/providers.yaml',
);

/** The sign-in rules of a provider without special ones. */
export const USUAL_SIGN_IN: SignInRules = {
  redirectUri: 'http://127.0.0.1/callback',
  promptsForConsent: true,
  takesScopeFromMetadata: false,
};
