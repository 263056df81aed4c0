import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { withoutSettings } from '../lib/config/settingNames.ts';

const MAIN = fileURLToPath(new URL('./functionHost/main.ts', import.meta.url));
const LISTENING = /^Functions listening on (\S+)$/;

/** The function host as a process of its own. */
export interface HostProcess {
  readonly url: string;
  readonly processId: number;
  /** Ends when the process ends, with its exit code; null after a signal. */
  readonly ended: Promise<number | null>;
  /** SIGTERM: no new grants, what is received is saved. */
  stop(): Promise<void>;
  /** SIGKILL, as when a machine goes away. */
  kill(): Promise<void>;
}

/**
 * Starts the function host and waits until it listens.
 * @param environment all settings; none is taken from this process
 * @param port 0: any free one; undefined: 7071, or any free one where that is taken
 * @param onLine receives each line that it prints
 */
export async function startHostProcess(
  environment: Readonly<Record<string, string>>,
  port: number | undefined,
  onLine: (line: string) => void,
): Promise<HostProcess> {
  const child = spawn(process.execPath, [MAIN], {
    // A setting that the shell happens to have is not meant for the functions.
    env: { ...withoutSettings(process.env), ...environment, FUNCTIONS_PORT: String(port ?? '') },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Ctrl-C reaches a whole group of processes; the host is stopped by its parent, before the servers that it writes to.
    detached: process.platform !== 'win32',
  });
  const ended = once(child, 'exit').then(([code]) => code as number | null);
  const url = await listening(child, ended, onLine);
  const signal = async (name: NodeJS.Signals) => {
    child.kill(name);
    await ended;
  };
  return {
    url,
    processId: child.pid ?? 0,
    ended,
    stop: () => signal('SIGTERM'),
    kill: () => signal('SIGKILL'),
  };
}

function listening(
  child: ChildProcess,
  ended: Promise<number | null>,
  onLine: (line: string) => void,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  for (const stream of [child.stdout, child.stderr]) {
    if (!stream) continue;
    createInterface({ input: stream }).on('line', (line) => {
      const url = LISTENING.exec(line)?.[1];
      if (url) resolve(url);
      onLine(line);
    });
  }
  void ended.then((code) => reject(new Error(`The function host ended with ${code} before it listened.`)));
  return promise;
}
