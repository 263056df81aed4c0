import { createProgram, endUsage, type Surroundings } from './program.ts';

/**
 * Runs the command that the user typed.
 * @returns the exit code
 */
export async function runProgram(surroundings: Surroundings): Promise<number> {
  let exitCode = 0;
  const program = createProgram(surroundings, (code) => {
    exitCode = code;
  });
  try {
    await program.parseAsync(surroundings.args, { from: 'user' });
    return exitCode;
  } catch (thrown) {
    return endUsage(thrown, surroundings);
  }
}
