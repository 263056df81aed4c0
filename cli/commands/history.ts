import type { ConnectionStatus } from '../../lib/rotation/core/status.ts';
import { createRotator } from '../../lib/rotator.ts';
import { type Cli, connect } from '../cli.ts';
import { EXIT } from '../exitCodes.ts';
import { table } from '../table.ts';
import { type Terminal, utcTime } from '../terminal.ts';

type Outcomes = NonNullable<ConnectionStatus['history']>;

const COLOURS: Readonly<Record<Outcomes[number]['result'], 'green' | 'yellow' | 'red'>> = {
  rotated: 'green',
  retrying: 'yellow',
  outcome_unknown: 'yellow',
  blocked: 'red',
};

/** `rotator history NAME` */
export async function history(cli: Cli, name: string): Promise<number> {
  const { terminal } = cli;
  const { ports } = await connect(cli);
  const status = await terminal.working('Reading the record', () =>
    createRotator(ports, Date.now).status(name),
  );
  const { history: outcomes = [] } = status;
  terminal.result({ connection: name, history: outcomes }, linesOf(name, outcomes, terminal));
  return EXIT.done;
}

function linesOf(name: string, outcomes: Outcomes, terminal: Terminal): string[] {
  if (outcomes.length === 0) return [`${name} has no outcomes yet.`];
  const rows = outcomes.map(({ at, result, code = '' }) => [
    utcTime(Date.parse(at)),
    terminal.paint(COLOURS[result], result.replaceAll('_', ' ')),
    code,
  ]);
  return table([['TIME', 'RESULT', 'ERROR CODE'], ...rows], terminal.window.columns);
}
