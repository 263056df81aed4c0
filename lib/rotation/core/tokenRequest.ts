import type { Problem } from '../../errors.ts';
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
  /** What is wrong with the HTTP of the response, if it was read nevertheless: a code, or a reason of the parser. */
  readonly malformed?: string;
} & (
  | { readonly accessToken: IssuedAccessToken; readonly failure?: undefined }
  | { readonly accessToken?: undefined; readonly failure: TokenRequestFailure }
);

/** Everything that one token request needs. */
export interface TokenRequest {
  readonly connection: Connection;
  readonly clientId: string;
  readonly clientSecret: string;
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
   * Sends one token request with a refresh token (RFC 6749 section 6), once.
   * @returns its result; never throws
   */
  send(request: TokenRequest, terms: SendTerms): Promise<TokenResponse>;
}
