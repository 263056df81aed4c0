import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { ensureOwnDirectory } from '../../cli/ownFile.ts';
import { loadAccount, newAccount, saveAccount } from './account.ts';

const LOOPBACK = '127.0.0.1';
const START_MS = 30_000;
const STOP_MS = 15_000;
const PRELOADS = ['./loadLess.ts', './preload.ts'];

/** A running blob service. */
export interface Azurite {
  /** Contains the account's key: never log it. */
  readonly connectionString: string;
  /** Address of the account, without a slash at the end. */
  readonly blobServiceUrl: string;
  readonly processId: number;
  /** Resolves with the exit code when the process ends; null after a signal. */
  readonly ended: Promise<number | null>;
  /**
   * Stops the process and resolves when it has saved its data and ended.
   * @throws Error if it ended without saving
   */
  close(): Promise<void>;
}

/**
 * Starts Azurite's blob service on this machine as a child process, with an account whose key only this process knows. Azurite
 * ends no later than this process.
 * @param dataDirectory the directory of blobs, the account's key and the port; undefined keeps everything in memory
 * @throws Error if it cannot start, for example because the kept port is in use
 */
export async function startAzurite(dataDirectory?: string): Promise<Azurite> {
  if (dataDirectory) await ensureOwnDirectory(dataDirectory);
  const account = (dataDirectory && loadAccount(dataDirectory)) || newAccount();
  const child = launch(argumentsOf(account.port ?? 0, dataDirectory), `${account.name}:${account.key}`);
  const ended = new Promise<number | null>((resolve) => child.once('exit', resolve));
  const port = await portOf(child, account.port, dataDirectory);
  if (dataDirectory) await saveAccount(dataDirectory, { ...account, port });
  const blobServiceUrl = `http://${LOOPBACK}:${port}/${account.name}`;
  return {
    connectionString: `DefaultEndpointsProtocol=http;AccountName=${account.name};AccountKey=${account.key};BlobEndpoint=${blobServiceUrl};`,
    blobServiceUrl,
    processId: child.pid ?? 0,
    ended,
    close: () => stop(child),
  };
}

function argumentsOf(port: number, dataDirectory: string | undefined): string[] {
  const storage = dataDirectory === undefined ? ['--inMemoryPersistence'] : ['--location', dataDirectory];
  const address = ['--blobHost', LOOPBACK, '--blobPort', String(port)];
  // The newest clients use a newer API version than Azurite knows. The operations used here did not change.
  return ['--silent', '--skipApiVersionCheck', '--disableTelemetry', ...address, ...storage];
}

function launch(args: readonly string[], accounts: string): ChildProcess {
  const entry = createRequire(import.meta.url).resolve('azurite/dist/src/blob/main.js');
  const preloads = PRELOADS.flatMap((each) => ['--import', new URL(each, import.meta.url).href]);
  return spawn(process.execPath, [...preloads, entry, ...args], {
    env: { ...process.env, AZURITE_ACCOUNTS: accounts, AZURITE_DB: undefined },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Ctrl-C at the terminal reaches the whole process group. Azurite must outlive the processes that still write to it.
    detached: process.platform !== 'win32',
    windowsHide: true,
  });
}

/** Resolves when Azurite reports the port that it listens on. */
async function portOf(
  child: ChildProcess,
  kept: number | undefined,
  dataDirectory: string | undefined,
): Promise<number> {
  let output = '';
  const timer = setTimeout(() => child.kill('SIGKILL'), START_MS);
  try {
    return await new Promise((resolve, reject) => {
      const read = (chunk: Buffer) => {
        output += chunk;
        const port = /successfully listens on \S+:(\d+)/.exec(output)?.[1];
        if (port) resolve(Number(port));
      };
      child.stdout?.on('data', read);
      child.stderr?.on('data', read);
      child.once('error', () => reject(new Error('Could not start Azurite. Run "npm ci" first.')));
      child.once('exit', () => reject(startFailure(output, kept, dataDirectory)));
    });
  } finally {
    clearTimeout(timer);
    // Later output is not needed, but a full pipe would block Azurite.
    for (const stream of [child.stdout, child.stderr]) stream?.removeAllListeners('data').resume();
  }
}

function startFailure(output: string, kept: number | undefined, dataDirectory: string | undefined): Error {
  if (output.includes('EADDRINUSE')) {
    return new Error(
      `Port ${kept} of ${LOOPBACK}, which the storage in ${dataDirectory} needs, is in use. Stop the process that uses it, maybe an earlier Azurite, or choose another data directory.`,
    );
  }
  return new Error(`Azurite ended before it listened. Its output: ${output.trim().slice(-500) || 'nothing'}`);
}

async function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_MS);
  const ended = once(child, 'exit');
  if (child.connected) child.disconnect();
  const [code] = await ended;
  clearTimeout(timer);
  if (code !== 0) throw new Error('Azurite ended without saving its data. The last writes may be lost.');
}
