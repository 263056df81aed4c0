import type { Problem } from '../../errors.ts';
import type { Connection } from './connection.ts';

/**
 * What a failed grant says about the refresh token that was sent.
 * - `retryable`: the provider did not process it (429, or nothing was sent)
 * - `ambiguous`: it was sent and there is no usable answer; the provider may have used it up
 * - `reauthorization_required`: the provider refuses it for good; a person must consent again
 * - `client_rejected`: the client's credentials were refused before the token was looked at
 * - `misconfigured`: the request itself was refused; the token was not used up
 */
export type FailureClass =
  | 'retrying'
  | 'outcome_unknown'
  | 'reauthorization_required'
  | 'client_rejected'
  | 'misconfigured';

/** A failed grant. All text is safe to log. */
export interface TokenRequestFailure extends Problem {
  readonly class: FailureClass;
  /** From `Retry-After`, in milliseconds. */
  readonly retryAfterMs?: number;
}

/** An access token as it was answered. */
export interface IssuedAccessToken {
  readonly value: string;
  readonly scope?: string;
  /** Lifetime in milliseconds, counted from the answer. */
  readonly lifetimeMs: number;
  /** The answer gave no usable lifetime; this one comes from the connection. */
  readonly expiresInIsDefault: boolean;
}

/**
 * What came of one grant. A `refreshToken` may stand beside a `failure`: a token that arrived is kept
 * whatever else is wrong with its answer.
 */
export type TokenResponse = {
  /** Non-empty where present. */
  readonly refreshToken?: string;
  /** Lifetime of `refreshToken` in milliseconds, where the provider says it. */
  readonly refreshTokenLifetimeMs?: number;
} & (
  | { readonly accessToken: IssuedAccessToken; readonly failure?: undefined }
  | { readonly accessToken?: undefined; readonly failure: TokenRequestFailure }
);

/** Everything that one grant needs. */
export interface TokenRequest {
  readonly connection: Connection;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly refreshToken: string;
}

/** The token endpoint of RFC 6749 section 3.2. */
export interface TokenEndpoint {
  /**
   * Sends one refresh-token grant (RFC 6749 section 6), once.
   * @param mayStillSend asked synchronously just before the first byte leaves; false gives a `retryable` failure
   * @returns what came of it; never throws
   */
  grant(request: TokenRequest, mayStillSend: () => boolean): Promise<TokenResponse>;
}
