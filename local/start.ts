import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { STACK_FILE } from '../cli/localStack.ts';
import { LOCAL_CONNECTIONS } from './connections.ts';
import { watchTokens } from './consumer.ts';
import { connectionsIn } from './keptConnections.ts';
import { instructions, screenLine } from './screen.ts';
import { type Stack, startStack } from './stack.ts';

const USAGE = `Usage: npm start -- [--rotations N] [--data DIR] [--port N]
  --rotations N  exit with 0 when a consumer has seen N new access tokens that work, or with 1 after two minutes
  --data DIR     keep everything in DIR and continue from there at the next start
  --port N       port of the functions, default 7071, or a free port if 7071 is in use`;
const PATIENCE_MS = 120_000;
/** How long to wait for a start that hangs, for example on a file system that does not respond. */
const STOP_MS = 10_000;

interface Options {
  readonly rotations: number | undefined;
  readonly data: string | undefined;
  readonly port: number | undefined;
}

/** @throws Error with a message for users if an argument is wrong */
function readOptions(args: string[]): Options | 'help' {
  const text = { type: 'string' } as const;
  const { values } = parseArgs({
    args,
    options: { rotations: text, data: text, port: text, help: { type: 'boolean' } },
  });
  if (values.help) return 'help';
  const rotations =
    values.rotations === undefined ? undefined : wholeNumber('--rotations', values.rotations, 1, 1000);
  const port = values.port === undefined ? undefined : wholeNumber('--port', values.port, 0, 65_535);
  if (values.data?.trim() === '')
    throw new Error('--data requires the path of a directory, but the value is empty.');
  return { rotations, data: values.data, port };
}

function wholeNumber(name: string, text: string, least: number, most: number): number {
  const number = Number(text);
  if (/^\d+$/.test(text) && number >= least && number <= most) return number;
  throw new Error(`${name} requires a whole number from ${least} to ${most}, not "${text}".`);
}

/** Runs until Ctrl-C, or until the consumer has seen enough tokens; returns the exit code. */
async function run({ rotations, data, port }: Options): Promise<number> {
  const stopping = new AbortController();
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'].map((signal) => once(process, signal));
  const stopped = Promise.race([...signals, unread()]).then(() => ({ code: 0, message: 'Stopping ...' }));
  console.log('Starting the authorization server, two vaults, the storage account and the functions ...');
  const { signal } = stopping;
  const starting = startStack({
    dataDirectory: data,
    port,
    onLine: show,
    stateFile: STACK_FILE,
    sweepImmediately: true,
    signal,
  });
  const begun = await Promise.race([starting, stopped]);
  if ('code' in begun) return abandon(starting, stopping, begun);
  const stack = begun;
  console.log(instructions(stack, await connectionsIn(stack.data)));
  const { host, servers } = stack;
  const broken = [endOf('The function host', host), endOf('The storage account', servers.storage)];
  const finished = [stopped, ...broken, ...(rotations ? [countRotations(stack, rotations)] : [])];
  const { code, message } = await Promise.race(finished);
  console.log(message);
  await stack.close();
  return code;
}

/** Resolves when a reader closes the pipe (`| head`): that ends the stack like Ctrl-C. Nothing can be printed from then on. */
function unread(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => resolve());
  return promise;
}

interface End {
  readonly code: number;
  readonly message: string;
}

/** Cancels the start and lets it clean up. */
async function abandon(
  starting: Promise<Stack>,
  stopping: AbortController,
  { code, message }: End,
): Promise<number> {
  console.log(message);
  stopping.abort();
  const cleanedUp = starting.then(
    (stack) => stack.close(),
    () => {},
  );
  await Promise.race([cleanedUp, sleep(STOP_MS)]);
  return code;
}

/** @param process nothing works without it */
async function endOf(what: string, process: { readonly ended: Promise<number | null> }): Promise<End> {
  const code = await process.ended;
  return {
    code: 1,
    message: `${what} ended unexpectedly ${code === null ? 'by a signal' : `with exit code ${code}`}. Stopping ...`,
  };
}

async function countRotations({ servers }: Stack, wanted: number): Promise<End> {
  const enough = new AbortController();
  const timer = setTimeout(() => enough.abort(), PATIENCE_MS);
  let seen = 0;
  const names = LOCAL_CONNECTIONS.map(({ name }) => name);
  await watchTokens(
    names,
    servers,
    ({ connection }) => {
      seen++;
      console.log(`          consumer: access token ${seen} of ${wanted} works (${connection})`);
      if (seen >= wanted) enough.abort();
    },
    enough.signal,
  );
  clearTimeout(timer);
  if (seen >= wanted) return { code: 0, message: 'Stopping ...' };
  return {
    code: 1,
    message: `Only ${seen} of ${wanted} new access tokens worked within two minutes. Stopping ...`,
  };
}

function show(line: string): void {
  const text = screenLine(line);
  if (text) console.log(text);
}

async function main(): Promise<number> {
  let options: Options | 'help';
  try {
    options = readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n${USAGE}`);
    return 2;
  }
  if (options !== 'help') return run(options);
  console.log(USAGE);
  return 0;
}

main().then(
  (code) => process.exit(code),
  (error: Error) => {
    console.error(`The local stack failed: ${error.message}`);
    process.exit(1);
  },
);
