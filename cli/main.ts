import { createProgram, endUsage } from './program.ts';

const PATIENCE_MS = 2_000;

const interruption = new AbortController();

/** The first one lets what was begun come to its end; a write is over in seconds, so there is no second way out. */
function interrupt(): void {
  if (interruption.signal.aborted) return;
  interruption.abort();
  setTimeout(() => console.error('Bringing to an end what was begun ...'), PATIENCE_MS).unref();
}

async function main(): Promise<number> {
  let exitCode = 0;
  const args = process.argv.slice(2);
  const surroundings = { args, env: process.env, interrupted: interruption.signal };
  const program = createProgram(surroundings, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(args, { from: 'user' });
    return exitCode;
  } catch (thrown) {
    return endUsage(thrown, surroundings);
  }
}

process.on('SIGINT', interrupt);
process.on('SIGTERM', interrupt);
// A reader that goes away (`| head`) is no error.
process.stdout.on('error', () => process.exit(0));
const exitCode = await main();
// Idle connections would keep the process for some seconds.
process.stdout.write('', () => process.exit(exitCode));
