import { type Check, failed } from '../../lib/doctor/check.ts';
import { examine } from '../../lib/doctor/examine.ts';
import { RotatorError } from '../../lib/errors.ts';
import { type Cli, connect } from '../cli.ts';
import { EXIT } from '../exitCodes.ts';
import type { Terminal } from '../terminal.ts';

const COLOURS = { ok: 'green', warning: 'yellow', failed: 'red' } as const;

/** `rotator doctor [NAME]` */
export async function doctor(cli: Cli, name: string | undefined): Promise<number> {
  const { terminal } = cli;
  const checks = await terminal.working('Checking', () => allChecks(cli, name));
  terminal.result(
    { checks },
    checks.flatMap((check) => linesOf(check, terminal)),
  );
  return exitCodeFor(checks);
}

/** As of `status`: what is wrong with settings or the connections file comes first, because no other command works with it. */
function exitCodeFor(checks: readonly Check[]): number {
  const failures = checks.filter(({ level }) => level === 'failed');
  if (failures.some(({ code }) => code === 'configuration_invalid' || code === 'connection_invalid'))
    return EXIT.invalid;
  return failures.length > 0 ? EXIT.operatorNeeded : EXIT.done;
}

/** Invalid settings are a finding like any other. */
async function allChecks(cli: Cli, name: string | undefined): Promise<Check[]> {
  try {
    return await examine({ ...(await connect(cli)), now: Date.now }, name);
  } catch (thrown) {
    if (thrown instanceof RotatorError && thrown.code === 'configuration_invalid')
      return [failed('settings', thrown)];
    throw thrown;
  }
}

function linesOf({ check, connection, level, message, fix }: Check, terminal: Terminal): string[] {
  const what = connection === undefined ? check : `${connection}: ${check}`;
  const line = `${terminal.paint(COLOURS[level], level.padEnd(7))}  ${what}: ${message}`;
  return fix === undefined ? [line] : [line, `         ${fix}`];
}
