import type { Planned } from '../../lib/rotation/plan.ts';
import { createRotator } from '../../lib/rotator.ts';
import { type Cli, connect } from '../cli.ts';
import { EXIT } from '../exitCodes.ts';
import { table } from '../table.ts';
import { span, type Terminal } from '../terminal.ts';

/** `rotator plan [NAME]` */
export async function plan(cli: Cli, name: string | undefined): Promise<number> {
  const { terminal } = cli;
  const { ports } = await connect(cli);
  const planned = await terminal.working('Planning the next sweep', () =>
    createRotator(ports, Date.now).plan(name),
  );
  const shown = planned.map(({ until, ...each }) => ({
    ...each,
    ...(until !== undefined && { until: new Date(until).toISOString() }),
  }));
  terminal.result({ planned: shown }, linesOf(planned, terminal, Date.now()));
  return EXIT.done;
}

function linesOf(planned: readonly Planned[], terminal: Terminal, now: number): string[] {
  if (planned.length === 0) return ['There are no connections.'];
  const rows = planned.map(({ connection, action, reason, message, until }) => [
    connection,
    terminal.paint(action === 'refresh' ? 'green' : action === 'skip' ? 'dim' : 'yellow', action),
    reason.replaceAll('_', ' '),
    until === undefined || until <= now ? message : `${message} Next attempt in ${span(until - now)}.`,
  ]);
  return table([['NAME', 'ACTION', 'REASON', 'WHY'], ...rows], terminal.window.columns);
}
