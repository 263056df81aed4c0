import { execFile } from 'node:child_process';

/** How a program ended. */
export interface Ended {
  /** Undefined if this machine does not have the program. */
  readonly code: number | undefined;
  readonly output: string;
}

/** Runs a program until it ends, and collects stdout and stderr together. Kills it after four minutes. */
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
