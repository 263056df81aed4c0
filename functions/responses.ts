import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { type ErrorCode, type Problem, problemOf } from '../lib/errors.ts';
import { readLimited } from '../lib/readLimited.ts';
import type { RotationResult } from '../lib/rotation/core/outcome.ts';
import { refusalOf } from './access.ts';
import { CROSS_SITE, isCrossSite } from './crossSite.ts';
import { rotator } from './rotator.ts';

const LARGEST_BODY_BYTES = 4096;
/**
 * For browsers that are sent here: they must not cache, sniff, frame or embed a response, name its address to other sites, or fetch
 * it without TLS.
 */
const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000',
  'X-Content-Type-Options': 'nosniff',
};

/** The parameters of the platform: the function key, and the name of the key. */
export const PLATFORM_PARAMETER = /^([Cc]ode|[Cc]lient[Ii]d)$/;

/** `?force` without a value means true. */
const FLAGS: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['', true],
  ['false', false],
  ['0', false],
]);

/** The value of a parameter that is true or false; false if it is missing, undefined if it is neither. */
export function flagOf(value: string | null): boolean | undefined {
  return FLAGS.get(value ?? 'false');
}

type ProblemCode = ErrorCode | 'awaiting_response' | 'provider_slow' | 'saving' | 'cooldown' | 'draining';

const BODY_TOO_LARGE = {
  code: 'body_too_large',
  message: `The request has a body of more than ${LARGEST_BODY_BYTES} bytes.`,
  fix: 'Send the request without a body.',
} as const;

/** The HTTP status of each code (RFC 9110 section 15). */
const STATUS: Partial<Record<ProblemCode, number>> = {
  parameter_invalid: 400,
  unauthenticated: 401,
  forbidden: 403,
  connection_unknown: 404,
  connection_paused: 409,
  connection_invalid: 409,
  address_refused: 409,
  in_progress: 409,
  owned_elsewhere: 409,
  connection_removed: 409,
  outcome_unknown: 409,
  secret_missing: 409,
  secret_empty: 409,
  secret_malformed: 409,
  secret_disabled: 409,
  secret_soft_deleted: 409,
  secret_not_managed: 409,
  secret_not_allowed: 409,
  body_too_large: 413,
  cooldown: 429,
  provider_unavailable: 502,
  provider_throttled: 502,
  reauthorization_required: 502,
  client_rejected: 502,
  misconfigured: 502,
  revocation_failed: 502,
  response_unusable: 502,
  refresh_token_too_large: 502,
  access_token_too_large: 502,
  connection_string_unwritable: 502,
  connection_string_too_large: 502,
  configuration_invalid: 500,
  internal_error: 500,
};

/**
 * Runs a handler for an authorized caller, and turns any error that it throws into a problem document. Refuses bodies that are too
 * large, web pages of other sites, and callers without the app role if one is required.
 */
export function respond(
  request: HttpRequest,
  handler: () => Promise<HttpResponseInit>,
): Promise<HttpResponseInit> {
  return respondAnonymously(request, async () => {
    if (isCrossSite(request)) return problemResponse(CROSS_SITE);
    const refusal = refusalOf(request.headers, rotator().callers);
    return refusal ? problemResponse(refusal) : handler();
  });
}

/** Does the same without authorization, for an endpoint that is anonymous. */
export async function respondAnonymously(
  request: HttpRequest,
  handler: () => Promise<HttpResponseInit>,
): Promise<HttpResponseInit> {
  try {
    return (await hasLargeBody(request)) ? problemResponse(BODY_TOO_LARGE) : await handler();
  } catch (thrown) {
    return problemResponse(problemOf(thrown));
  }
}

/** A chunked body has no declared length, so it is read up to the limit and discarded. */
async function hasLargeBody({ headers, body }: HttpRequest): Promise<boolean> {
  if (Number(headers.get('content-length') ?? 0) > LARGEST_BODY_BYTES) return true;
  return (await readLimited(body, LARGEST_BODY_BYTES)) === undefined;
}

/** A response with a JSON document. */
export function json(body: object, status = 200): HttpResponseInit {
  return { status, headers: { ...HEADERS, 'Content-Type': 'application/json' }, body: line(body) };
}

/** An RFC 9457 problem document; a code that is missing from the table means an unavailable vault or storage account (503). */
export function problemResponse(
  { code, message, fix }: Omit<Problem, 'code'> & { code: ProblemCode },
  more: { connection?: string; retryAfterMs?: number; status?: number } = {},
): HttpResponseInit {
  const status = more.status ?? STATUS[code] ?? 503;
  const seconds =
    more.retryAfterMs === undefined ? undefined : String(Math.max(1, Math.ceil(more.retryAfterMs / 1000)));
  const type = `urn:key-vault-token-rotator:${code}`;
  const connection = more.connection && { connection: more.connection };
  return {
    status,
    headers: {
      ...HEADERS,
      'Content-Type': 'application/problem+json',
      ...(seconds && { 'Retry-After': seconds }),
      // RFC 9110 section 11.6.1 requires it.
      ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
    },
    body: line({
      type,
      title: code.replaceAll('_', ' '),
      status,
      detail: message,
      code,
      fix,
      ...connection,
    }),
  };
}

/** Ends with a line break, so that the prompt of a shell does not follow the document. */
function line(document: object): string {
  return `${JSON.stringify(document)}\n`;
}

const NOT_NOW = {
  in_progress: [
    'Another rotation of this connection is running.',
    'Get the status of the connection, or try again in a few seconds.',
  ],
  awaiting_response: [
    'The response to a token request of this connection may still arrive.',
    'Wait: the rotator saves and publishes what arrives. Get the status of the connection in a minute.',
  ],
  provider_slow: [
    'The host of the token endpoint responds slowly or fails, so nothing was sent.',
    'Wait: the rotator tries again automatically. Add force=true to send the request now.',
  ],
  saving: [
    'The rotator received a new refresh token, but the vault has not accepted it yet.',
    'Wait: the rotator saves the token as soon as the vault accepts it.',
  ],
  cooldown: ['A rotation of this connection was forced a moment ago.', 'Try again in a few seconds.'],
  draining: [
    'This process is shutting down and starts no more token requests.',
    'Try again in a few seconds.',
  ],
} as const;

/** The response to a manual rotation. It never contains a token. */
export function rotationResponse(result: RotationResult): HttpResponseInit {
  const { connection, retryAfterMs = 5000, problem } = result;
  switch (result.result) {
    case 'rotated':
    case 'not_due':
      return json(rotationBody(result));
    case 'in_progress':
    case 'awaiting_response':
    case 'provider_slow':
    case 'saving':
    case 'cooldown':
    case 'draining': {
      const [message, fix] = NOT_NOW[result.result];
      return problemResponse({ code: result.result, message, fix }, { connection, retryAfterMs });
    }
    default: {
      const known = problem ?? problemOf(undefined);
      // A refusal by the provider in this rotation is a bad gateway (502); an earlier one is a state of the connection (409).
      const status = result.reason === 'blocked' ? { status: 409 } : {};
      // To try again later is of no use for a connection that an operator removed.
      const wait = known.code === 'connection_removed' ? {} : { retryAfterMs };
      return problemResponse(known, { connection, ...wait, ...status });
    }
  }
}

function rotationBody({
  result,
  connection,
  reason,
  generation,
  expiresAt,
  retryAfterMs,
}: RotationResult): object {
  return {
    connection,
    result,
    reason,
    generation,
    accessTokenExpires: expiresAt === undefined ? undefined : new Date(expiresAt).toISOString(),
    nextAttemptInSeconds: retryAfterMs === undefined ? undefined : Math.ceil(retryAfterMs / 1000),
  };
}
