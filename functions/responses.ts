import type { HttpRequest, HttpResponseInit } from '@azure/functions';
import { type ErrorCode, type Problem, problemOf } from '../lib/errors.ts';
import { readLimited } from '../lib/readLimited.ts';
import type { RotationResult } from '../lib/rotation/core/outcome.ts';
import { PRINCIPAL_HEADER, refusalOf } from './access.ts';
import { rotator } from './rotator.ts';

const LARGEST_BODY_BYTES = 4096;
/** For browsers that are led here: nothing of an answer is kept, guessed, framed, embedded, told to others or fetched without TLS. */
const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Referrer-Policy': 'no-referrer',
  'Strict-Transport-Security': 'max-age=31536000',
  'X-Content-Type-Options': 'nosniff',
};

type ProblemCode = ErrorCode | 'saving' | 'cooldown' | 'draining';

const BODY_TOO_LARGE = {
  code: 'body_too_large',
  message: `The request has a body of more than ${LARGEST_BODY_BYTES} bytes.`,
  fix: 'Send no body: none is used.',
} as const;

/** Which HTTP status tells what (RFC 9110 section 15). */
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
  outcome_unknown: 409,
  secret_missing: 409,
  secret_empty: 409,
  secret_disabled: 409,
  secret_soft_deleted: 409,
  secret_not_managed: 409,
  body_too_large: 413,
  cooldown: 429,
  provider_unavailable: 502,
  provider_throttled: 502,
  reauthorization_required: 502,
  client_rejected: 502,
  misconfigured: 502,
  response_unusable: 502,
  refresh_token_too_large: 502,
  access_token_too_large: 502,
  connection_string_unwritable: 502,
  connection_string_too_large: 502,
  configuration_invalid: 500,
  internal_error: 500,
};

/**
 * Runs a handler for callers who may call, and turns whatever it throws into a problem document; refuses bodies that are too
 * large, and callers without the app role where one is required.
 */
export function answering(
  request: HttpRequest,
  handler: () => Promise<HttpResponseInit>,
): Promise<HttpResponseInit> {
  return answeringAnybody(request, async () => {
    const refusal = refusalOf(request.headers.get(PRINCIPAL_HEADER), rotator().callers);
    return refusal ? problemResponse(refusal) : handler();
  });
}

/** The same for whoever calls. */
export async function answeringAnybody(
  request: HttpRequest,
  handler: () => Promise<HttpResponseInit>,
): Promise<HttpResponseInit> {
  try {
    return (await hasLargeBody(request)) ? problemResponse(BODY_TOO_LARGE) : await handler();
  } catch (thrown) {
    return problemResponse(problemOf(thrown));
  }
}

/** A body may come in chunks, without a length: then it is read as far as the limit, and thrown away. */
async function hasLargeBody({ headers, body }: HttpRequest): Promise<boolean> {
  if (Number(headers.get('content-length') ?? 0) > LARGEST_BODY_BYTES) return true;
  return (await readLimited(body, LARGEST_BODY_BYTES)) === undefined;
}

/** 200 with a JSON document. */
export function json(body: object, status = 200): HttpResponseInit {
  return { status, headers: { ...HEADERS, 'Content-Type': 'application/json' }, body: JSON.stringify(body) };
}

/** An RFC 9457 problem document; what is not in the table is an unavailable vault or storage account. */
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
      // RFC 9110 section 11.6.1 asks for it.
      ...(status === 401 && { 'WWW-Authenticate': 'Bearer' }),
    },
    body: JSON.stringify({
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

const NOT_NOW = {
  in_progress: [
    'Another rotation of this connection is running.',
    'Ask for its status, or try again in a moment.',
  ],
  saving: [
    'A new refresh token was received and waits for its vault.',
    'Nothing: it is saved as soon as the vault takes it.',
  ],
  cooldown: ['A rotation of this connection was forced a moment ago.', 'Try again in a few seconds.'],
  draining: ['This process is about to end and starts no more grants.', 'Try again in a moment.'],
} as const;

/** The answer to a manual rotation. It never holds a token. */
export function rotationResponse(result: RotationResult): HttpResponseInit {
  const { connection, retryAfterMs = 5000, problem } = result;
  switch (result.result) {
    case 'rotated':
    case 'not_due':
      return json(rotationBody(result));
    case 'in_progress':
    case 'saving':
    case 'cooldown':
    case 'draining': {
      const [message, fix] = NOT_NOW[result.result];
      return problemResponse({ code: result.result, message, fix }, { connection, retryAfterMs });
    }
    default: {
      const known = problem ?? problemOf(undefined);
      // What the provider refused just now is its answer (502); what it refused before is a state of the connection.
      const status = result.reason === 'blocked' ? { status: 409 } : {};
      return problemResponse(known, { connection, retryAfterMs, ...status });
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
