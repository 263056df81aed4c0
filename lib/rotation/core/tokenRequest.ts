import type { ErrorCode, Problem } from '../../errors.ts';
import type { Connection } from './connection.ts';

/**
 * What a failed token request says about the refresh token that was sent.
 * - `retrying`: the provider did not process it (429, or nothing was sent)
 * - `outcome_unknown`: it was sent and there is no usable response; the provider may have used up the token
 * - `reauthorization_required`: the provider refuses it; the account owner must consent again, unless the refusal passes
 * - `client_rejected`: the client's credentials were refused before the token was checked
 * - `misconfigured`: the request itself was refused; the token was not used up
 */
export type FailureClass =
  | 'retrying'
  | 'outcome_unknown'
  | 'reauthorization_required'
  | 'client_rejected'
  | 'misconfigured';

/**
 * What a refusal of the refresh token says about its future. `final`: it has expired or was revoked; `transient`: an
 * administrator can lift the refusal, or it passes.
 */
export type Refusal = 'final' | 'transient';

/** What the words of a provider say, however it says it. */
export interface Wording {
  /** What they say, as a clause that follows "that". */
  readonly meaning: string;
  /** One of these matches the words: the error and its description in lower case, with single spaces. Without repetition (`*`, `+`, `{`). */
  readonly any: readonly RegExp[];
  /** None of these does. */
  readonly none?: readonly RegExp[];
}

/** What a failed token response has. Everything that is named here must match. */
export interface ErrorPattern {
  /**
   * The HTTP status, or the first and the last of several. Missing: 2xx or 4xx, but not 429. Behind another status, the body may
   * not be the provider's decision on the refresh token.
   */
  readonly status?: number | readonly [first: number, last: number];
  /** The whole member `error`, or what another shape has instead, with its case; `true`: any. */
  readonly error?: string | true;
  /** What a part of `error_description` next to `error` matches. Without repetition (`*`, `+`, `{`), so that no text takes long. */
  readonly description?: RegExp;
  /** What the response says in any shape of JSON, or in a form. */
  readonly says?: Wording;
  /** One of the numbers in `error_codes` next to `error`. */
  readonly number?: number;
  /** The response has a valid header `Retry-After`. */
  readonly hasRetryAfter?: true;
  /** The values of other members of the response, which may have no `error`. Nested ones by their place: `error.code`. */
  readonly members?: Readonly<Record<string, string | number | boolean>>;
}

/** What a failed token response means, and its fix. */
export interface ErrorMeaning {
  readonly class: FailureClass;
  readonly code: ErrorCode;
  /** One clause, without a full stop. */
  readonly cause: string;
  /** One or two sentences with the placeholders of `lib/oauth/fixes.ts`. */
  readonly fix: string;
  /** With `reauthorization_required`. Missing: the provider's own words may say it. */
  readonly refusal?: Refusal;
}

/** A row of the table of errors. The first one that matches decides. */
export interface ErrorRule {
  readonly when: ErrorPattern;
  readonly means: ErrorMeaning;
  /**
   * In a profile: no other provider means anything else by it, so the rule counts for the connections of all profiles. They may
   * have this provider's address.
   */
  readonly unmistakable?: true;
}

/** A failed token request. All text is safe to log. */
export interface TokenRequestFailure extends Problem {
  readonly class: FailureClass;
  /** From `Retry-After`, in milliseconds. */
  readonly retryAfterMs?: number;
  /** With `reauthorization_required`, if the provider says it. */
  readonly refusal?: Refusal;
}

/** An access token from a response. */
export interface IssuedAccessToken {
  readonly value: string;
  readonly scope?: string;
  /** The members that `ResponseFacts.tags` names, as far as the response has them. */
  readonly tags?: Readonly<Record<string, string>>;
  /** Lifetime in milliseconds, counted from the response. */
  readonly lifetimeMs: number;
  /** The response has no usable lifetime; this is the default of the connection. */
  readonly expiresInIsDefault: boolean;
}

/**
 * The result of one token request. It may have both a `refreshToken` and a `failure`: a token that arrived is kept, whatever
 * else is wrong with the response.
 */
export type TokenResponse = {
  /** Never empty. */
  readonly refreshToken?: string;
  /** Lifetime in milliseconds, if the provider says it: of `refreshToken`, or else of the one that was sent. */
  readonly refreshTokenLifetimeMs?: number;
  /** What is wrong with the HTTP or the JSON of the response, if it was read nevertheless: a code, or a reason of the parser. */
  readonly malformed?: string;
} & (
  | { readonly accessToken: IssuedAccessToken; readonly failure?: undefined }
  | { readonly accessToken?: undefined; readonly failure: TokenRequestFailure }
);

/** Everything that one token request needs. */
export interface TokenRequest {
  readonly connection: Connection;
  readonly clientId: string;
  /** Empty if the client has none. */
  readonly clientSecret: string;
  /** A JSON Web Token that proves the client's identity (RFC 7523 section 2.2), made for this request. */
  readonly clientAssertion?: string;
  /** Empty with the grant `client_credentials`. */
  readonly refreshToken: string;
}

/** Under which terms a token request is sent. */
export interface SendTerms {
  /** Asked synchronously immediately before the first byte leaves; false gives a `retrying` failure. */
  readonly mayStillSend: () => boolean;
  /** How long the response is awaited, in milliseconds from the call. */
  readonly waitMs: number;
}

/** The token endpoint of RFC 6749 section 3.2. */
export interface TokenEndpoint {
  /**
   * Sends one token request, with a refresh token (RFC 6749 section 6) or without (section 4.4), once.
   * @returns its result; never throws
   */
  send(request: TokenRequest, terms: SendTerms): Promise<TokenResponse>;
}

/**
 * Has the provider revoke a refresh token (RFC 7009), with the same client as a token request. Never throws.
 * @returns undefined if the provider confirms that it does not accept the token any more, otherwise why not
 */
export type Revoke = (request: TokenRequest) => Promise<Problem | undefined>;
