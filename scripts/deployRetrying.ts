/**
 * Runs a command, and again each minute for up to 30 minutes, as long as it fails because a role has not spread:
 * node scripts/deployRetrying.ts COMMAND ARGUMENT... It prints the output of the last run and ends with its exit code. It imports nothing
 * that must be installed, because the job that deploys has an identity token.
 */
import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';
import { setTimeout as wait } from 'node:timers/promises';
import { notSpread, untilRolesSpread } from './deploy/untilRolesSpread.ts';

const [command = '', ...args] = process.argv.slice(2);

await untilRolesSpread({ wait: (ms) => wait(ms), say: (line) => console.error(line) }, async () => {
  const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.pipe(process.stderr, { end: false });
  const ended = new Promise<number>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? 1));
  });
  const [code, output, errors] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  const why = code === 0 ? undefined : notSpread(output + errors);
  process.exitCode = code;
  if (why === undefined) process.stdout.write(output);
  return why;
});
