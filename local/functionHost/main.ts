/**
 * The local function host as a process: `node local/functionHost/main.ts`.
 *
 * Reads FUNCTIONS_PORT (if it is missing: 7071, or a free port if 7071 is in use), FUNCTIONS_ENTRY and FUNCTIONS_HOST_JSON (paths;
 * the repository's own by default). Ends with 0
 * on SIGTERM, on SIGINT and when the parent that opened an IPC channel goes away.
 */
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { type FunctionHost, startFunctionHost } from './host.ts';
import { messageOf } from './invoke.ts';

/** How long the host waits for the app. The process that started the host may be gone, so the host must end itself. */
const SHUTDOWN_LIMIT_MS = 60_000;

function pathSetting(name: string, fallback: string): URL {
  const path = process.env[name];
  return path ? pathToFileURL(resolve(path)) : new URL(fallback, import.meta.url);
}

function portSetting(): number | undefined {
  if (!process.env.FUNCTIONS_PORT) return undefined;
  const port = Number(process.env.FUNCTIONS_PORT);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new Error(`FUNCTIONS_PORT is "${process.env.FUNCTIONS_PORT}"; set it to a number from 0 to 65535.`);
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

/** Resolves at the first reason to stop. It ignores later ones, because a terminal and a parent often both send a signal. */
function stopRequested(): Promise<void> {
  return new Promise((done) => {
    for (const event of ['SIGTERM', 'SIGINT', 'disconnect']) process.on(event, () => done());
  });
}

async function main(): Promise<void> {
  const stop = stopRequested();
  // If the reader of the output is gone, writing fails. That must not interrupt the shutdown.
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
