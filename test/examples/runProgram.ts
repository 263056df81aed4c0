import { execFile } from 'node:child_process';

/** How a program ended. */
export interface Ended {
  /** Undefined where there is no such program on this machine. */
  readonly code: number | undefined;
  readonly output: string;
}

/** Runs a program to its end; its output and its errors together. Ended by force after four minutes. */
export function runProgram(
  program: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(program, args, { ...options, timeout: 240_000 }, (error, stdout, stderr) => {
      const code = error ? error.code : 0;
      resolve({ code: typeof code === 'number' ? code : undefined, output: stdout + stderr });
    });
  });
}
