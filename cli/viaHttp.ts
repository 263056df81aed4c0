import * as z from 'zod';
import { readAddress } from '../lib/config/address.ts';
import { type ErrorCode, errorCodes, RotatorError } from '../lib/errors.ts';
import { readLimited } from '../lib/readLimited.ts';
import { retryAfterMs } from '../lib/retryAfter.ts';
import { REASONS, type Reason } from '../lib/rotation/core/decide.ts';
import { RESULTS as ROTATION_RESULTS, type RotationResult } from '../lib/rotation/core/outcome.ts';
import type { Removal } from '../lib/rotation/removal.ts';
import type { SweepSummary } from '../lib/rotation/sweep.ts';
import type { Choice } from '../lib/rotator.ts';
import { safeSentence } from '../lib/safeText.ts';
import type { Cli } from './cli.ts';

/** The variable that holds the function key: an argument would stay in the shell's history. */
const KEY_VARIABLE = 'ROTATOR_FUNCTION_KEY';
const TIMEOUT_MS = 230_000;
/** The error codes of a connection that was never established. */
const UNCONNECTED: ReadonlySet<unknown> = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'EHOSTUNREACH',
  'ENETUNREACH',
]);

const rotated = z.object({
  result: z.enum(['rotated', 'not_due']),
  reason: z.enum(Object.keys(REASONS) as Reason[]).optional(),
  generation: z.int().optional(),
  accessTokenExpires: z.iso.datetime().optional(),
});
const sentence = z.string().transform(safeSentence);
const refused = z.object({ code: z.string(), detail: sentence, fix: sentence });
const count = z.int().nonnegative();
const swept = z.object({
  connections: count,
  due: count,
  invalid: count,
  postponed: count,
  overdue: count,
  results: z.partialRecord(z.enum(Object.keys(ROTATION_RESULTS) as (keyof typeof ROTATION_RESULTS)[]), count),
  durationMs: z.number(),
});
/** The longest body of a response that is read, in bytes. */
const LONGEST_BODY = 64 * 1024;
const RESULTS: readonly string[] = [
  'in_progress',
  'awaiting_response',
  'provider_slow',
  'saving',
  'cooldown',
  'draining',
];

/** Rotates one connection by `POST /api/connections/NAME/rotate` of the deployed functions. */
export async function rotateVia(
  via: string,
  name: string,
  force: boolean,
  cli: Cli,
): Promise<RotationResult> {
  const path = `/api/connections/${encodeURIComponent(name)}/rotate${force ? '?force=true' : ''}`;
  const { status, body, retryAfterMs } = await post(via, path, cli);
  const done = rotated.safeParse(body);
  if (done.success) {
    const { accessTokenExpires, result, reason, generation } = done.data;
    return {
      result,
      connection: name,
      ...(reason !== undefined && { reason }),
      ...(generation !== undefined && { generation }),
      ...(accessTokenExpires !== undefined && { expiresAt: Date.parse(accessTokenExpires) }),
    };
  }
  const { code, ...problem } = problemIn(body, via, status);
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  const result = RESULTS.find((each) => each === code) as RotationResult['result'] | undefined;
  if (result) return { result, connection: name, ...wait };
  if (status === 404 || status === 400 || status === 500)
    throw new RotatorError({ code: known(code), ...problem });
  const failed = status === 409 ? (code === 'outcome_unknown' ? 'outcome_unknown' : 'blocked') : 'retrying';
  return { result: failed, connection: name, problem: { code: known(code), ...problem }, ...wait };
}

/** Rotates all due connections by `POST /api/rotate`. */
export async function sweepVia(via: string, cli: Cli): Promise<SweepSummary> {
  const { status, body } = await post(via, '/api/rotate', cli);
  const summary = swept.safeParse(body);
  if (summary.success && (status === 200 || status === 207)) return summary.data;
  throw errorIn(body, via, status);
}

const removals = z.object({
  removals: z.array(
    z.object({
      connection: sentence,
      provider: sentence,
      revoked: z.boolean(),
      disabled: count,
      accessTokenExpires: z.iso.datetime().optional(),
      problems: z.array(z.object({ code: z.string(), message: sentence, fix: sentence })),
    }),
  ),
});

/** Removes connections by `POST /api/remove`. */
export async function removeVia(
  via: string,
  choice: Choice,
  revoke: boolean,
  cli: Cli,
): Promise<readonly Removal[]> {
  const query = new URLSearchParams({ ...mapped(choice), ...(revoke && { revoke: 'true' }) });
  const { status, body } = await post(via, `/api/remove?${query}`, cli);
  const done = removals.safeParse(body);
  if (!done.success || (status !== 200 && status !== 207)) throw errorIn(body, via, status);
  return done.data.removals.map(({ accessTokenExpires, problems, ...removal }) => ({
    ...removal,
    ...(accessTokenExpires !== undefined && { accessTokenExpiresAt: Date.parse(accessTokenExpires) }),
    problems: problems.map((problem) => ({ ...problem, code: known(problem.code) })),
  }));
}

function mapped(choice: Choice): Record<string, string> {
  return 'all' in choice ? { all: 'true' } : { ...choice };
}

function errorIn(body: unknown, via: string, status: number): RotatorError {
  const { code, ...problem } = problemIn(body, via, status);
  return new RotatorError({ code: known(code), ...problem });
}

function known(code: string): ErrorCode {
  return errorCodes.find((each) => each === code) ?? 'internal_error';
}

async function post(via: string, path: string, { env, interrupted }: Cli) {
  const { url, cause } = readAddress(via, { allowLoopbackHttp: true, path: false, query: false });
  if (!url) throw wrongAddress(cause);
  const key = env[KEY_VARIABLE]?.trim();
  if (key && /[^\x21-\x7e]/.test(key)) throw keyMalformed();
  const signal = AbortSignal.any([interrupted, AbortSignal.timeout(TIMEOUT_MS)]);
  const headers = key ? { 'x-functions-key': key } : {};
  const target = new URL(path, url);
  const response = await fetch(target, { method: 'POST', redirect: 'manual', headers, signal }).catch(
    (thrown: { cause?: { code?: unknown } }) => {
      throw unreachable(url, UNCONNECTED.has(thrown.cause?.code));
    },
  );
  const wait = retryAfterMs(response.headers.get('retry-after') ?? undefined, Date.now());
  const body = parse(await readLimited(response.body, LONGEST_BODY).catch(() => undefined));
  if (response.status === 401) throw keyRefused(url, Boolean(key));
  return { status: response.status, body, retryAfterMs: wait };
}

function parse(body: Uint8Array | undefined): unknown {
  try {
    return JSON.parse(new TextDecoder().decode(body));
  } catch {
    return undefined;
  }
}

function problemIn(body: unknown, via: string, status: number) {
  const problem = refused.safeParse(body);
  if (problem.success)
    return { code: problem.data.code, message: problem.data.detail, fix: problem.data.fix };
  return {
    code: 'internal_error',
    message: `${new URL(via).host} returned HTTP ${status} with a body that is not a response of the rotator.`,
    fix: 'Set --via to the root address of the function app.',
  };
}

function wrongAddress(cause: string): RotatorError {
  return new RotatorError({
    code: 'configuration_invalid',
    message: `The address after --via ${cause}.`,
    fix: 'Set --via to the root address of the function app: https://APP.azurewebsites.net.',
  });
}

function keyRefused({ host }: URL, given: boolean): RotatorError {
  return new RotatorError({
    code: 'configuration_invalid',
    message: `${host} ${given ? 'does not accept the key' : 'requires a key'} (401).`,
    fix: `Set ${KEY_VARIABLE} to a function key of the app; remove needs the master key.`,
  });
}

function keyMalformed(): RotatorError {
  return new RotatorError({
    code: 'configuration_invalid',
    message: `${KEY_VARIABLE} contains white space or other characters that a function key cannot have.`,
    fix: `Set ${KEY_VARIABLE} to the function key only.`,
  });
}

/** @param unconnected whether it is certain that nothing was sent */
function unreachable({ host }: URL, unconnected: boolean): RotatorError {
  return new RotatorError({
    code: 'rotator_unreachable',
    message: unconnected ? `Cannot connect to ${host}: nothing was sent.` : `${host} did not respond.`,
    fix: `Check the address after --via and the network.${unconnected ? '' : ' The functions may still work on it: check with rotator status.'}`,
  });
}
