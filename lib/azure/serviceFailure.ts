import { httpDate, retryAfterMs } from '../retryAfter.ts';
import { safeCode } from '../safeText.ts';
import { DeadlinePassed } from './deadline.ts';
import { SignInFailed } from './signInFailure.ts';

/**
 * What an error of an Azure SDK says, without anything that could hold a secret: the errors themselves hold the
 * request, its authorization header and its body.
 */
export interface ServiceFailure {
  /** `silent`: no usable response arrived. */
  readonly kind: 'answer' | 'silent';
  /** HTTP status, for `answer`. */
  readonly status: number;
  /** The service's error codes, the outer one first; for `silent`, the system's. */
  readonly codes: readonly string[];
  /** How long the service asks the rotator to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Could not authenticate, so no request was sent. */
  readonly signIn?: SignInFailed;
}

/** The part of an HTTP response that matters here. */
export interface SeenResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | undefined };
}

interface SdkError {
  readonly code?: unknown;
  readonly details?: { readonly error?: NestedCode; readonly errorCode?: unknown };
  readonly response?: SeenResponse;
}

interface NestedCode {
  readonly code?: unknown;
  readonly innerError?: NestedCode;
}

/**
 * Reads what an SDK threw.
 * @param seen the response that the SDK received, if it is known apart from the error. The Key Vault client cannot parse
 *   an error without a body, and loses the status.
 */
export function readFailure(thrown: unknown, seen?: SeenResponse): ServiceFailure {
  if (thrown instanceof DeadlinePassed) return silence('DEADLINE');
  if (thrown instanceof SignInFailed) return { ...silence(), signIn: thrown };
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as SdkError;
  const answer = error.response ?? seen;
  const codes = codesOf(error, answer);
  if (!answer || answer.status < 300) return silence(...codes);
  return { kind: 'answer', status: answer.status, codes, retryAfterMs: retryAfter(answer.headers) };
}

function silence(...codes: readonly string[]): ServiceFailure {
  return { kind: 'silent', status: 0, codes, retryAfterMs: undefined };
}

function codesOf({ code, details }: SdkError, answer: SeenResponse | undefined): string[] {
  const codes = [answer?.headers.get('x-ms-error-code'), code, details?.errorCode];
  for (let nested = details?.error; nested; nested = nested.innerError) codes.push(nested.code);
  return [...new Set(codes.flatMap((each) => safeCode(each) ?? []))];
}

/** The milliseconds that Azure's services may send, else the standard header; a date counts from the service's own clock. */
function retryAfter(headers: SeenResponse['headers']): number | undefined {
  for (const name of ['retry-after-ms', 'x-ms-retry-after-ms']) {
    const value = headers.get(name)?.trim() ?? '';
    if (/^\d{1,10}$/.test(value)) return Number(value);
  }
  return retryAfterMs(headers.get('retry-after'), httpDate(headers.get('date')));
}
