import {
  AggregateAuthenticationErrorName,
  AuthenticationErrorName,
  CredentialUnavailableErrorName,
} from '@azure/identity';
import { httpDate, retryAfterMs } from '../retryAfter.ts';
import { safeCode } from '../safeText.ts';
import { DeadlinePassed } from './deadline.ts';

/**
 * What an error of an Azure SDK says, without anything that could hold a secret: the errors themselves hold the
 * request, its authorization header and its body.
 */
export interface ServiceFailure {
  /** `identity`: could not authenticate, so no request was sent. `silent`: no usable response arrived. */
  readonly kind: 'answer' | 'identity' | 'silent';
  /** HTTP status, for `answer`. */
  readonly status: number;
  /** The service's error codes, the outer one first; for `silent`, the system's. */
  readonly codes: readonly string[];
  /** How long the service asks the rotator to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
}

/** The part of an HTTP response that matters here. */
export interface SeenResponse {
  readonly status: number;
  readonly headers: { get(name: string): string | undefined };
}

interface SdkError {
  readonly name?: unknown;
  readonly code?: unknown;
  readonly statusCode?: unknown;
  readonly details?: { readonly error?: NestedCode; readonly errorCode?: unknown };
  readonly response?: SeenResponse;
  readonly cause?: { readonly errorCode?: unknown; readonly status?: unknown };
}

interface NestedCode {
  readonly code?: unknown;
  readonly innerError?: NestedCode;
}

const CREDENTIAL_ERRORS: readonly unknown[] = [
  AggregateAuthenticationErrorName,
  AuthenticationErrorName,
  CredentialUnavailableErrorName,
  'AuthenticationRequiredError',
];

/**
 * Reads what an SDK threw.
 * @param seen the response that the SDK received, if it is known apart from the error. The Key Vault client cannot parse
 *   an error without a body, and loses the status.
 */
export function readFailure(thrown: unknown, seen?: SeenResponse): ServiceFailure {
  if (thrown instanceof DeadlinePassed) return silence('DEADLINE');
  const error = (typeof thrown === 'object' && thrown !== null ? thrown : {}) as SdkError;
  if (CREDENTIAL_ERRORS.includes(error.name)) return credentialFailure(error);
  const answer = error.response ?? seen;
  const codes = codesOf(error, answer);
  if (!answer || answer.status < 300) return silence(...codes);
  return { kind: 'answer', status: answer.status, codes, retryAfterMs: retryAfter(answer.headers) };
}

/** A sign-in service that is down or overloaded does not mean missing permissions: it recovers without an operator. */
function credentialFailure({ statusCode, cause }: SdkError): ServiceFailure {
  const status = Number(statusCode ?? cause?.status);
  const passing = status === 429 || status >= 500 || cause?.errorCode === 'network_error';
  if (passing) return silence('SIGN_IN_UNAVAILABLE');
  return { kind: 'identity', status: 0, codes: [], retryAfterMs: undefined };
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
