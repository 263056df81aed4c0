import { RotatorError } from '../../lib/errors.ts';
import type { RotationResult } from '../../lib/rotation/core/outcome.ts';
import type { SweepSummary } from '../../lib/rotation/sweep.ts';
import { createRotator, type Rotator } from '../../lib/rotator.ts';
import { type Cli, connect, ensureNotInterrupted, orVia } from '../cli.ts';
import { EXIT, exitCodeOfResult } from '../exitCodes.ts';
import { span, utcTime } from '../terminal.ts';
import { rotateVia, sweepVia } from '../viaHttp.ts';

/** Options of `rotator rotate`. */
export interface RotateOptions {
  readonly force?: true;
  readonly due?: true;
  readonly via?: string;
}

/** `rotator rotate NAME [--force]`, `rotator rotate --due`; with `--via URL` by the deployed functions. */
export async function rotate(cli: Cli, name: string | undefined, options: RotateOptions): Promise<number> {
  if ((name === undefined) !== (options.due ?? false) || (options.due && options.force)) {
    throw new RotatorError({
      code: 'command_invalid',
      message: 'rotate takes either the name of a connection (and optionally --force), or --due.',
      fix: 'Run rotator rotate --help.',
    });
  }
  return name === undefined ? rotateDue(cli, options) : rotateOne(cli, name, options);
}

async function rotateOne(cli: Cli, name: string, options: RotateOptions): Promise<number> {
  const { terminal } = cli;
  const { via } = options;
  const force = options.force === true;
  const work = (): Promise<RotationResult> =>
    via === undefined
      ? withRotator(cli, (rotator) => rotator.rotate(name, force))
      : rotateVia(via, name, force, cli);
  const result = await terminal.working(`Rotating ${name}`, work);
  terminal.result(documentOf(result), resultLines(result));
  return exitCodeOfResult(result);
}

async function rotateDue(cli: Cli, { via }: RotateOptions): Promise<number> {
  const { terminal } = cli;
  const work = (): Promise<SweepSummary> =>
    via === undefined ? withRotator(cli, (rotator) => rotator.sweep()) : sweepVia(via, cli);
  const summary = await terminal.working('Rotating all due connections', work);
  terminal.result(summary, [sweepLine(summary)]);
  const { retrying = 0, blocked = 0, outcome_unknown: unknown = 0, saving = 0 } = summary.results;
  if (summary.invalid > 0) return EXIT.invalid;
  if (blocked > 0) return EXIT.operatorNeeded;
  if (retrying > 0) return EXIT.failed;
  return unknown + saving + summary.postponed > 0 ? EXIT.notNow : EXIT.done;
}

/** After Ctrl-C it sends no more token requests, and it saves every received token before it returns. */
async function withRotator<T>(cli: Cli, work: (rotator: Rotator) => Promise<T>): Promise<T> {
  const parts = await connect(cli);
  const rotator = createRotator(parts.ports, Date.now);
  const drain = () => void rotator.drain();
  cli.interrupted.addEventListener('abort', drain, { once: true });
  try {
    ensureNotInterrupted(cli);
    return await work(rotator);
  } catch (thrown) {
    throw orVia(thrown, parts);
  } finally {
    await rotator.drain();
    cli.interrupted.removeEventListener('abort', drain);
  }
}

/** The `--json` document of a rotation: times in ISO 8601, no token. */
export function documentOf({ expiresAt, ...result }: RotationResult): object {
  return {
    ...result,
    ...(expiresAt !== undefined && { accessTokenExpires: new Date(expiresAt).toISOString() }),
  };
}

const SENTENCES: Readonly<Record<Exclude<RotationResult['result'], 'rotated'>, string>> = {
  not_due: 'is not due. Add --force to rotate it anyway.',
  cooldown: 'was forced a few seconds ago. Try again in a few seconds.',
  in_progress: 'is being rotated by another process.',
  awaiting_response: 'is waiting for the response to a token request. What arrives is saved and published.',
  provider_slow: 'was not rotated: its provider responds slowly or fails. It is tried again automatically.',
  saving: 'has a new refresh token that its vault has not accepted yet.',
  outcome_unknown: 'is waiting, because the outcome of its last token request is unknown.',
  blocked: 'is blocked until an operator acts. After the fix, add --force to try immediately.',
  retrying: 'could not be rotated. It is tried again automatically.',
  draining: 'was not rotated: the command was interrupted.',
};

/** The result of a rotation as text. */
export function resultLines({
  result,
  connection,
  generation,
  expiresAt,
  problem,
  retryAfterMs,
}: RotationResult): string[] {
  if (result === 'rotated') {
    const valid = expiresAt === undefined ? '' : `, token valid until ${utcTime(expiresAt)}`;
    return [`${connection} is rotated: generation ${generation ?? '?'}${valid}.`];
  }
  if (problem?.code === 'connection_removed')
    return [
      `${connection} was removed: nothing was sent.`,
      `${problem.code}: ${problem.message}`,
      `  ${problem.fix}`,
    ];
  const again = retryAfterMs ? ` Next attempt in ${span(Math.max(retryAfterMs, 1000))}.` : '';
  const trouble = problem ? [`${problem.code}: ${problem.message}`, `  ${problem.fix}`] : [];
  return [`${connection} ${SENTENCES[result]}${again}`, ...trouble];
}

function sweepLine({ connections, due, invalid, postponed, results, durationMs }: SweepSummary): string {
  const counts = Object.entries(results).map(([result, count]) => `${count} ${result.replace('_', ' ')}`);
  const more = [invalid && `${invalid} invalid`, postponed && `${postponed} postponed`].filter(Boolean);
  return `${due} of ${connections} connections were due: ${[...counts, ...more].join(', ') || 'nothing to do'} (${durationMs} ms).`;
}
