import { setTimeout as sleep } from 'node:timers/promises';
import type { ConnectionStatus } from '../../lib/rotation/core/status.ts';
import { createRotator } from '../../lib/rotator.ts';
import { type Cli, connect } from '../cli.ts';
import { EXIT } from '../exitCodes.ts';
import { span, type Terminal, table } from '../terminal.ts';

const WATCH_MS = 2_000;
const HEADINGS = ['NAME', 'STATE', 'TOKEN LEFT', 'GENERATION', 'LAST ROTATION', 'NEXT ATTEMPT'];
const COLOURS: Partial<Record<ConnectionStatus['state'], 'green' | 'yellow' | 'red' | 'dim'>> = {
  fresh: 'green',
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
  const read = async () => (name === undefined ? readAll() : [await rotator.status(name)]);
  /** The list has only the reason of a problem; message and fix come from the status of the connection. */
  const readAll = async () => {
    const all = await rotator.statusOfAll();
    return Promise.all(all.map((each) => (each.reason && !each.fix ? rotator.status(each.name) : each)));
  };
  const { terminal, interrupted } = cli;
  for (;;) {
    const connections = await terminal.working('Reading the records', read);
    if (options.watch) terminal.clear();
    terminal.result({ connections }, linesOf(connections, terminal, Date.now()));
    if (!options.watch) return EXIT.done;
    await sleep(WATCH_MS, undefined, { signal: interrupted }).catch(() => undefined);
    if (interrupted.aborted) return EXIT.done;
  }
}

function linesOf(connections: readonly ConnectionStatus[], terminal: Terminal, now: number): string[] {
  if (connections.length === 0) return ['There are no connections.'];
  const rows = connections.map((each) => [
    each.name,
    terminal.paint(COLOURS[each.state] ?? 'dim', each.state.replace('_', ' ')),
    timeTo(each.accessTokenExpires, now),
    String(each.generation ?? '-'),
    each.lastRotation === undefined ? '-' : `${span(now - Date.parse(each.lastRotation))} ago`,
    each.nextAttempt === undefined ? '-' : `in ${timeTo(each.nextAttempt, now)}`,
  ]);
  return [
    ...table([HEADINGS, ...rows]),
    ...connections.flatMap(troubleOf),
    ...connections.flatMap(warningOf),
  ];
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
