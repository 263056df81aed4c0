import type { ErrorCode } from '../errors.ts';
import type { FailureClass } from '../rotation/core/tokenRequest.ts';
import { type Fix, fixes } from './fixes.ts';

/** What one way to fail means and what to do about it. */
export interface KnownError {
  readonly class: FailureClass;
  readonly code: ErrorCode;
  /** One clause, without a full stop. */
  readonly cause: string;
  readonly fix: Fix;
}

/** The refresh token is refused for good: a person must sign in. */
export function refusedToken(cause: string, fix: Fix = fixes.signIn): KnownError {
  return { class: 'reauthorization_required', code: 'reauthorization_required', cause, fix };
}

/** The client's credentials are refused, before the refresh token was looked at. */
export function rejectedClient(cause: string, fix: Fix = fixes.client): KnownError {
  return { class: 'client_rejected', code: 'client_rejected', cause, fix };
}

/** The request was refused for something that a person must put right. */
export function mistake(cause: string, fix: Fix = fixes.request): KnownError {
  return { class: 'misconfigured', code: 'misconfigured', cause, fix };
}

/** The request came too early and was not processed. */
export function throttled(cause = 'it has too much to do'): KnownError {
  return { class: 'retrying', code: 'provider_throttled', cause, fix: fixes.wait };
}

/** Nobody can tell whether the refresh token was used up. */
export function ambiguous(cause: string, fix: Fix = fixes.wait): KnownError {
  return { class: 'outcome_unknown', code: 'provider_unavailable', cause, fix };
}
