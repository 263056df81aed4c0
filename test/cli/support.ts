import { type ChildProcess, fork, spawn } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { callVault } from '../../local/callVault.ts';
import type { LocalConnection } from '../../local/connections.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { localConnection } from '../support/localConnection.ts';
import type { Shown } from '../support/shown.ts';
import type { Order, Report } from './commandProcess.ts';

const COMMANDS = fileURLToPath(new URL('./commandProcess.ts', import.meta.url));
const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** A local stack and the command line that finds it. */
export interface Desk {
  readonly stack: Stack;
  readonly stateFile: string;
  /** Runs `rotator ARGS --stack FILE`, in one process with all of these commands. */
  rotator(args: readonly string[], more?: RunOptions): Running;
  /** Runs `rotator ARGS`, in the same process. */
  withoutStack(args: readonly string[], more?: RunOptions): Running;
  /** Runs `rotator ARGS --stack FILE` as a user does: in a process of its own, which a signal can reach. */
  start(args: readonly string[], more?: RunOptions): Started;
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
  readonly ended: Promise<Ended>;
  /** Resolves with the first match in what is printed to stderr. */
  seen(pattern: RegExp): Promise<RegExpExecArray>;
}

/** A command that runs in its own process. */
export interface Started extends Running {
  readonly child: ChildProcess;
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
  const commands = new CommandProcess(printed);
  return {
    stack,
    stateFile,
    rotator: (args, more) => commands.run([...args, '--stack', stateFile], more),
    withoutStack: (args, more) => commands.run(args, more),
    start: (args, more) => run([...args, '--stack', stateFile], more, printed),
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
      commands.close();
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

/** Runs the command line in a process of its own. */
export function run(args: readonly string[], options: RunOptions = {}, printed: string[] = []): Started {
  const child = spawn(process.execPath, [MAIN, ...args], {
    env: environmentOf(options),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => {});
  child.stdin.end(options.input ?? '');
  const output = new Output();
  for (const stream of ['stdout', 'stderr'] as const)
    child[stream].on('data', (chunk) => output.add(stream, String(chunk)));
  child.once('close', (code) => output.end(code));
  return { child, ...output.running(options, printed) };
}

function environmentOf({ env }: RunOptions): Record<string, string> {
  const { PATH = '', HOME = '', NODE_COMPILE_CACHE = '', NODE_OPTIONS = '' } = process.env;
  return { PATH, HOME, NODE_COMPILE_CACHE, NODE_OPTIONS, ...env };
}

/** Runs commands one after the other in one process, which starts with the first one. */
class CommandProcess {
  readonly #printed: string[];
  #child: ChildProcess | undefined;
  #last: Promise<unknown> = Promise.resolve();

  constructor(printed: string[]) {
    this.#printed = printed;
  }

  run(args: readonly string[], options: RunOptions = {}): Running {
    const output = new Output();
    const running = output.running(options, this.#printed);
    void this.#last.then(() =>
      this.#send({ args, env: environmentOf(options), input: options.input ?? '' }, output),
    );
    this.#last = running.ended.catch(() => {});
    return running;
  }

  #send(order: Order, output: Output): void {
    this.#child ??= fork(COMMANDS, { env: environmentOf({}), stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
    const child = this.#child;
    const crashed = (code: number | null) => {
      this.#child = undefined;
      output.fail(new Error(`The process of the commands ended with ${code}.`));
    };
    const read = (report: Report) => {
      if ('stream' in report) return output.add(report.stream, report.text);
      child.off('message', read).off('exit', crashed);
      output.end(report.code);
    };
    child.on('message', read).once('exit', crashed).send(order);
  }

  close(): void {
    this.#child?.disconnect();
  }
}

/** What a command prints until it ends. */
class Output {
  readonly #ended = Promise.withResolvers<Ended>();
  readonly #changed = new EventEmitter();
  #text = { stdout: '', stderr: '' };

  add(stream: 'stdout' | 'stderr', text: string): void {
    this.#text[stream] += text;
    this.#changed.emit('text');
  }

  end(code: number | null): void {
    this.#ended.resolve({ code, ...this.#text });
  }

  fail(error: Error): void {
    this.#ended.reject(error);
  }

  running({ reveals }: RunOptions, printed: string[]): Running {
    const ended = this.#ended.promise.then((all) => {
      if (!reveals) printed.push(all.stdout, all.stderr);
      return all;
    });
    const seen = async (pattern: RegExp) => {
      for (;;) {
        const match = pattern.exec(this.#text.stderr);
        if (match) return match;
        await Promise.race([
          once(this.#changed, 'text'),
          ended.then(({ stdout, stderr }) =>
            Promise.reject(new Error(`It ended without ${pattern}: ${stdout}${stderr}`)),
          ),
        ]);
      }
    };
    return { ended, seen };
  }
}

/** The document that `--json` printed. */
export function documentOf({ stdout }: Ended): Shown {
  return JSON.parse(stdout) as Shown;
}
