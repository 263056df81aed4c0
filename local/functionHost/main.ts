/**
 * The local function host as a process: `node local/functionHost/main.ts`.
 *
 * Reads FUNCTIONS_PORT (where it is not set: 7071, or a free one where that is taken), FUNCTIONS_ENTRY and FUNCTIONS_HOST_JSON (paths; the repository's own by default). Ends with 0
 * on SIGTERM, on SIGINT and when the parent that opened an IPC channel goes away.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type FunctionHost, startFunctionHost } from './host.ts';
import { messageOf } from './invoke.ts';

/** An app that does not finish by then is left alone: whoever started the host may be gone, and nobody else would end it. */
const SHUTDOWN_LIMIT_MS = 60_000;

function pathSetting(name: string, fallback: string): URL {
  const path = process.env[name];
  return path ? pathToFileURL(resolve(path)) : new URL(fallback, import.meta.url);
}

function portSetting(): number | undefined {
  if (!process.env.FUNCTIONS_PORT) return undefined;
  const port = Number(process.env.FUNCTIONS_PORT);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`FUNCTIONS_PORT is "${process.env.FUNCTIONS_PORT}"; give a number from 0 to 65535.`);
}

async function start(): Promise<FunctionHost> {
  return startFunctionHost({
    entry: pathSetting('FUNCTIONS_ENTRY', '../../functions/index.ts'),
    hostJson: pathSetting('FUNCTIONS_HOST_JSON', '../../host.json'),
    port: portSetting(),
    env: process.env,
    log: (line) => console.log(line),
  });
}

/** Resolves at the first reason to stop. Later ones change nothing: a terminal and a parent often both send a signal. */
function stopRequested(): Promise<void> {
  return new Promise((done) => {
    for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.on(event, () => done());
  });
}

async function main(): Promise<void> {
  const stop = stopRequested();
  // Once the reader of the output is gone, writing fails; that must not cut the shutdown short.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});
  const host = await start();
  console.log(`Functions listening on ${host.url}`);
  await stop;
  setTimeout(() => process.exit(1), SHUTDOWN_LIMIT_MS).unref();
  await host.close();
}

main().then(
  () => process.exit(0),
  (error) => {
    console.error(`The function host failed: ${messageOf(error)}`);
    process.exit(1);
  },
);
