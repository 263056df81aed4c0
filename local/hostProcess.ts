import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { withoutSettings } from '../lib/config/settingNames.ts';

const MAIN = fileURLToPath(new URL('./functionHost/main.ts', import.meta.url));
const LISTENING = /^Functions listening on (\S+)$/;

/** The function host as a separate process. */
export interface HostProcess {
  readonly url: string;
  readonly processId: number;
  /** Resolves with the exit code when the process ends; null after a signal. */
  readonly ended: Promise<number | null>;
  /** SIGTERM: the host sends no new token requests and saves the tokens that it received. */
  stop(): Promise<void>;
  /** SIGKILL, as when a machine fails. */
  kill(): Promise<void>;
}

/**
 * Starts the function host and waits until it listens.
 * @param environment all settings; this process adds none of its own
 * @param port 0 means any free port; undefined means 7071, or any free port if 7071 is in use
 * @param onLine receives each line that it prints
 */
export async function startHostProcess(
  environment: Readonly<Record<string, string>>,
  port: number | undefined,
  onLine: (line: string) => void,
): Promise<HostProcess> {
  const child = spawn(process.execPath, [MAIN], {
    // The functions must not see a setting that the shell happens to have.
    env: { ...withoutSettings(process.env), ...environment, FUNCTIONS_PORT: String(port ?? '') },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    // Ctrl-C reaches the whole process group. The parent stops the host itself, before the servers that the host writes to.
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
