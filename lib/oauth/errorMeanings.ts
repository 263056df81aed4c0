import type { ErrorMeaning, Refusal } from '../rotation/core/tokenRequest.ts';
import { fixes } from './fixes.ts';

/** The provider refuses the refresh token: the user must sign in again, unless the refusal passes. */
export function refusedToken(cause: string, fix: string = fixes.signIn, refusal?: Refusal): ErrorMeaning {
  const code = 'reauthorization_required';
  return { class: code, code, cause, fix, ...(refusal && { refusal }) };
}

/** The refresh token has ended: it will never work again. */
export function endedToken(cause: string, fix?: string): ErrorMeaning {
  return refusedToken(cause, fix, 'final');
}

/** An administrator can lift the refusal, or it passes automatically: the same refresh token then works again. */
export function suspendedToken(cause: string, fix: string): ErrorMeaning {
  return refusedToken(cause, fix, 'transient');
}

/** The provider refuses the client's credentials, before it checks the refresh token. */
export function rejectedClient(cause: string, fix: string = fixes.client): ErrorMeaning {
  return { class: 'client_rejected', code: 'client_rejected', cause, fix };
}

/** The provider refuses the request for a reason that an operator must fix. */
export function mistake(cause: string, fix: string = fixes.request): ErrorMeaning {
  return { class: 'misconfigured', code: 'misconfigured', cause, fix };
}

/** The request came too early, and the provider did not process it. */
export function throttled(cause = 'the provider is overloaded'): ErrorMeaning {
  return { class: 'retrying', code: 'provider_throttled', cause, fix: fixes.wait };
}

/** The rotator cannot know whether the provider used up the refresh token. */
export function outcomeUnknown(cause: string, fix: string = fixes.wait): ErrorMeaning {
  return { class: 'outcome_unknown', code: 'provider_unavailable', cause, fix };
}
