import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { callVault } from '../../local/callVault.ts';
import type { LocalConnection } from '../../local/connections.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { localConnection } from '../support/localConnection.ts';
import type { Shown } from '../support/shown.ts';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** A local stack and the command line that finds it. */
export interface Desk {
  readonly stack: Stack;
  readonly stateFile: string;
  /** Runs `rotator ARGS --stack FILE`. */
  rotator(args: readonly string[], more?: RunOptions): Running;
  /** Reads or writes a secret as an operator would. */
  secret(
    vault: 'credentialVault' | 'tokenVault',
    name: string,
    write?: object,
  ): Promise<SecretBundle | undefined>;
  /** Every value that must not appear in any output. */
  secrets(): string[];
  close(): Promise<void>;
}

interface SecretBundle {
  readonly value: string;
  readonly id: string;
  readonly tags?: Record<string, string>;
}

export interface RunOptions {
  readonly env?: Readonly<Record<string, string>>;
  readonly input?: string;
  /** The command is expected to show secrets. */
  readonly reveals?: true;
}

/** A command that runs. */
export interface Running {
  readonly child: ChildProcess;
  readonly ended: Promise<Ended>;
  /** Resolves with the first match in what is printed to stderr. */
  seen(pattern: RegExp): Promise<RegExpExecArray>;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

export const STRICT = localConnection('strict');

/** Starts a stack whose functions do not interfere unless `schedule` says so. */
export async function startDesk(
  connections: readonly LocalConnection[] = [STRICT],
  schedule = '0 0 0 1 1 *',
  accessTokenSeconds?: number,
): Promise<Desk> {
  const directory = await mkdtemp(join(tmpdir(), 'rotator-cli-'));
  const stateFile = join(directory, 'stack.json');
  const stack = await startStack({
    port: 0,
    onLine: () => {},
    connections,
    schedule,
    stateFile,
    accessTokenSeconds,
  });
  const { servers } = stack;
  const printed: string[] = [];
  return {
    stack,
    stateFile,
    rotator: (args, more) => run([...args, '--stack', stateFile], more, printed),
    secret: async (vault, name, write) => {
      const response = await callVault(
        servers[vault],
        servers.bearers.operator,
        write ? 'PUT' : 'GET',
        name,
        write,
      );
      return response.ok ? ((await response.json()) as SecretBundle) : undefined;
    },
    secrets: () => [
      ...servers.authorization.issuedValues(),
      ...servers.clients.map(({ clientSecret }) => clientSecret),
      ...servers.identity.issuedTokens(),
    ],
    close: async () => {
      await stack.close();
      await rm(directory, { recursive: true, force: true });
      const leaked = [
        ...servers.authorization.issuedValues(),
        ...servers.clients.map((each) => each.clientSecret),
      ];
      const text = printed.join('\n');
      if (leaked.some((secret) => text.includes(secret))) throw new Error('A command printed a secret.');
    },
  };
}

/** Runs the command line without a stack. */
export function run(
  args: readonly string[],
  { env = {}, input, reveals }: RunOptions = {},
  printed: string[] = [],
): Running {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: {
      PATH: process.env.PATH ?? '',
      HOME: process.env.HOME ?? '',
      NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
      NODE_OPTIONS: process.env.NODE_OPTIONS ?? '',
      ...env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {});
  child.stdin.end(input ?? '');
  let stdout = '';
  let stderr = '';
  child.stdout.on('data', (chunk) => {
    stdout += chunk;
  });
  child.stderr.on('data', (chunk) => {
    stderr += chunk;
  });
  const ended = once(child, 'close').then(([code]) => {
    if (!reveals) printed.push(stdout, stderr);
    return { code: code as number | null, stdout, stderr };
  });
  const seen = async (pattern: RegExp) => {
    for (;;) {
      const match = pattern.exec(stderr);
      if (match) return match;
      await Promise.race([
        once(child.stderr, 'data'),
        ended.then(() => Promise.reject(new Error(`It ended without ${pattern}: ${stdout}${stderr}`))),
      ]);
    }
  };
  return { child, ended, seen };
}

/** The document that `--json` printed. */
export function documentOf({ stdout }: Ended): Shown {
  return JSON.parse(stdout) as Shown;
}
