import { setTimeout as sleep } from 'node:timers/promises';
import { type Problem, problemOf } from '../../lib/errors.ts';
import type { ConnectionStatus } from '../../lib/rotation/core/status.ts';
import { type ConfigurationProblem, createRotator, type Overview } from '../../lib/rotator.ts';
import { type Cli, connect } from '../cli.ts';
import { EXIT } from '../exitCodes.ts';
import { table, wrap } from '../table.ts';
import { span, type Terminal } from '../terminal.ts';

const WATCH_MS = 2_000;
const HEADINGS = ['NAME', 'STATE', 'TOKEN LEFT', 'GENERATION', 'LAST ROTATION', 'NEXT ATTEMPT'];
const COLOURS: Partial<Record<ConnectionStatus['state'], 'green' | 'yellow' | 'red' | 'dim'>> = {
  fresh: 'green',
  awaiting_response: 'green',
  retrying: 'yellow',
  outcome_unknown: 'yellow',
  new: 'dim',
  paused: 'dim',
  blocked: 'red',
  expired: 'red',
  invalid: 'red',
};

/** `rotator status [NAME] [--watch]` */
export async function status(cli: Cli, name: string | undefined, options: { watch?: true }): Promise<number> {
  const { ports } = await connect(cli);
  const rotator = createRotator(ports, Date.now);
  const { terminal } = cli;
  const read = () => terminal.working('Reading the records', () => rotator.overview(name));
  if (options.watch) return watch(cli, read);
  const found = await read();
  terminal.result(found, linesOf(found, terminal));
  return exitCodeFor(found);
}

/** For scripts: a wrong entry first, because no other command works with it. */
function exitCodeFor({ connections, configuration }: Overview): number {
  const states = new Set(connections.map(({ state }) => state));
  if (configuration || states.has('invalid')) return EXIT.invalid;
  return states.has('blocked') ? EXIT.operatorNeeded : EXIT.done;
}

/** Until Ctrl-C. An error stays on the screen below what was read last, until the records can be read again. */
async function watch({ terminal, interrupted }: Cli, read: () => Promise<Overview>): Promise<number> {
  let last: Overview = { connections: [] };
  for (;;) {
    let problem: Problem | undefined;
    try {
      last = await read();
    } catch (thrown) {
      problem = problemOf(thrown);
      // A name that never existed does not appear later.
      if (problem.code === 'connection_unknown' && last.connections.length === 0) throw thrown;
    }
    const lines = problem ? [...errorLines(problem, terminal), ''] : [];
    const table = problem && last.connections.length === 0 ? [] : linesOf(last, terminal);
    terminal.clear();
    terminal.result(problem ? { error: problem } : last, fitting([...lines, ...table], terminal));
    await sleep(WATCH_MS, undefined, { signal: interrupted }).catch(() => undefined);
    if (interrupted.aborted) return EXIT.interrupted;
  }
}

function errorLines({ code, message, fix }: Problem, { window }: Terminal): string[] {
  const texts = [`${code}: ${message}`, `  ${fix}`, 'Trying again every two seconds.'];
  return texts.flatMap((text) => wrap(text, window.columns));
}

/** The lines that fit into the window; the last one says how many do not. */
function fitting(lines: readonly string[], { window }: Terminal): readonly string[] {
  // After the last line the cursor takes one more.
  const rows = Math.max(2, window.rows - 1);
  if (lines.length <= rows) return lines;
  return [...lines.slice(0, rows - 1), `... ${lines.length - rows + 1} more lines`];
}

function linesOf({ connections, lastSweep, configuration }: Overview, terminal: Terminal): string[] {
  const { columns } = terminal.window;
  const unreadable = unreadableLines(configuration).flatMap((text) => wrap(text, columns));
  if (connections.length === 0) return ['There are no connections.', ...unreadable];
  const now = Date.now();
  const rows = connections.map((each) => [
    each.name,
    terminal.paint(COLOURS[each.state] ?? 'dim', each.state.replaceAll('_', ' ')),
    `${timeTo(each.accessTokenExpires, now)}${each.accessTokenExpiryIsDefault ? ' (default)' : ''}`,
    String(each.generation ?? '-'),
    each.lastRotation === undefined ? '-' : `${span(now - Date.parse(each.lastRotation))} ago`,
    each.nextAttempt === undefined ? '-' : `in ${timeTo(each.nextAttempt, now)}`,
  ]);
  const sentences = [...connections.flatMap(troubleOf), ...connections.flatMap(warningOf)];
  const wrapped = sentences.flatMap((text) => wrap(text, columns));
  const swept = lastSweep === undefined ? [] : ['', `Last sweep: ${span(now - Date.parse(lastSweep))} ago.`];
  return [...table([HEADINGS, ...rows], columns), ...swept, ...wrapped, ...unreadable];
}

function unreadableLines(configuration: ConfigurationProblem | undefined): string[] {
  if (!configuration) return [];
  const { code, message, fix } = configuration;
  return ['', `${code}: ${message} The list shows the connections that have a record.`, `  ${fix}`];
}

function timeTo(time: string | undefined, now: number): string {
  return time === undefined ? '-' : span(Date.parse(time) - now);
}

function troubleOf({ name, reason, message, fix, failuresInARow = 0 }: ConnectionStatus): string[] {
  if (!reason || !fix) return [];
  const often = failuresInARow > 1 ? ` (${failuresInARow} times in a row)` : '';
  return ['', `${name}: ${reason}${often}: ${message}`, `  ${fix}`];
}

function warningOf({ name, warning }: ConnectionStatus): string[] {
  return warning === undefined ? [] : ['', `${name}: ${warning}`];
}
