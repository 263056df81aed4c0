import { EXIT } from './exitCodes.ts';
import { runProgram } from './runProgram.ts';

const PATIENCE_MS = 2_000;

const interruption = new AbortController();

/** The first signal lets the work in progress finish. A write takes seconds, so a second signal does not end the process. */
function interrupt(): void {
  if (interruption.signal.aborted) return;
  interruption.abort();
  setTimeout(() => console.error('Finishing the work in progress ...'), PATIENCE_MS).unref();
}

// The window of a terminal that is closed sends SIGHUP, which would otherwise end the process between a response and its save.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, interrupt);
// A reader that closes the pipe (`| head`) is not an error. It ends the command as Ctrl-C does: a received token must be saved first.
let isUnread = false;
process.stdout.on('error', () => {
  isUnread = true;
  interruption.abort();
});
// Without a reader of the log and the hints, the command still has a result.
process.stderr.on('error', () => {});
// With it, every TLS connection of the process would accept any certificate, and the command sends secrets. A certificate
// authority of the user's own can be trusted with NODE_EXTRA_CA_CERTS.
delete process.env.NODE_TLS_REJECT_UNAUTHORIZED;
const exitCode = await runProgram({
  args: process.argv.slice(2),
  env: process.env,
  interrupted: interruption.signal,
});
// Idle connections would keep the process running for some seconds.
process.stdout.write('', () =>
  process.exit(isUnread && exitCode === EXIT.interrupted ? EXIT.done : exitCode),
);
