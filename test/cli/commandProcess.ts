/**
 * Runs one command line after the other in this process: most of the time of a command goes into starting a process and loading the
 * code. Each gets its own environment, stdin, stdout and stderr, and trusts only the certificates that a new process trusts.
 */
import { Readable } from 'node:stream';
import tls from 'node:tls';
import { runProgram } from '../../cli/runProgram.ts';

export interface Order {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly input: string;
}

/** What is printed, and at the end the exit code. */
export type Report =
  | { readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly code: number };

const trusted = tls.getCACertificates('default');
const report = (each: Report) => void process.send?.(each);

for (const stream of ['stdout', 'stderr'] as const)
  process[stream].write = ((chunk: unknown) => {
    report({ stream, text: String(chunk) });
    return true;
  }) as typeof process.stdout.write;

process.on('message', async ({ args, env, input }: Order) => {
  for (const name of Object.keys(process.env)) delete process.env[name];
  Object.assign(process.env, env);
  tls.setDefaultCACertificates(trusted);
  Object.defineProperty(process, 'stdin', { value: Readable.from([Buffer.from(input)]), configurable: true });
  const interrupted = new AbortController().signal;
  report({ code: await runProgram({ args, env: process.env, interrupted }) });
});
// The test file has ended.
process.on('disconnect', () => process.exit());
