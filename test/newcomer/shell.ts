import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

const MAIN = fileURLToPath(new URL('../../cli/main.ts', import.meta.url));

/** How a shell runs a command. */
export interface ShellOptions {
  /** The local stack that `rotator` uses. */
  readonly stateFile: string;
  /** Home and working directory. */
  readonly home: string;
  /** The width of the terminal; undefined: there is none. */
  readonly columns: number | undefined;
  readonly env: Readonly<Record<string, string>>;
}

/** A command line that runs in bash. */
export interface Shell {
  readonly ended: Promise<{ readonly code: number | null; readonly output: string }>;
  /** Resolves with the first match in what is printed. */
  seen(pattern: RegExp): Promise<RegExpExecArray>;
  /** Types on the terminal. */
  type(text: string): void;
  /** Presses Ctrl-C. */
  interrupt(): void;
}

/** Whether this machine has the `script` of util-linux, which gives a program a real pseudo-terminal. */
export function hasTerminals(): boolean {
  try {
    return execFileSync('script', ['--version'], { encoding: 'utf8' }).includes('util-linux');
  } catch {
    return false;
  }
}

/**
 * Runs a line of the documentation in bash. `npx rotator` and `rotator` are the command line of this repository; the programs of
 * other people that the examples name do what is needed here.
 */
export function startShell(line: string, { stateFile, home, columns, env }: ShellOptions): Shell {
  const script = `
    rotator() { if [ "$1" = completion ]; then "$NODE" "$MAIN" "$@"; else "$NODE" "$MAIN" "$@" --stack "$STACK"; fi; }
    npx() { "$@"; }
    pbpaste() { cat connection-string.txt; }
    driver-test() { cat > /dev/null; }
    cd "$HOME"
    set -o pipefail
    ${line}`;
  const environment = {
    PATH: process.env.PATH ?? '',
    NODE_COMPILE_CACHE: process.env.NODE_COMPILE_CACHE ?? '',
    NODE_OPTIONS: process.env.NODE_OPTIONS ?? '',
    HOME: home,
    TERM: 'xterm-256color',
    // It opens nothing: the test visits the address that the command prints.
    BROWSER: 'true',
    NODE: process.execPath,
    MAIN,
    STACK: stateFile,
    SCRIPT: script,
    ...env,
  };
  const run = 'bash -c "$SCRIPT"';
  const sized = `stty cols ${columns} rows 50; exec ${run}`;
  const [program, args] =
    columns === undefined
      ? (['bash', ['-c', run]] as const)
      : (['script', ['--quiet', '--return', '--command', sized, '/dev/null']] as const);
  const child = spawn(program, args, { env: environment, stdio: 'pipe', detached: true });
  child.stdin.on('error', () => {});
  if (columns === undefined) child.stdin.end();
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (chunk: string) => {
      output += chunk.replaceAll('\r\n', '\n');
    });
  const ended = once(child, 'close').then(([code]) => {
    child.stdin.end();
    return { code: code as number | null, output };
  });
  return {
    ended,
    seen: async (pattern) => {
      for (;;) {
        const match = pattern.exec(output);
        if (match) return match;
        await Promise.race([
          once(child.stdout, 'data'),
          once(child.stderr, 'data'),
          ended.then(() => Promise.reject(new Error(`It ended without ${pattern}: ${output}`))),
        ]);
      }
    },
    type: (text) => void child.stdin.write(text),
    interrupt: () => {
      if (columns === undefined) process.kill(-(child.pid ?? 0), 'SIGINT');
      else child.stdin.write('\u0003');
    },
  };
}
