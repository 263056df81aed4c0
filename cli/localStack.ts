import { fileURLToPath } from 'node:url';

/** For users who sign in at a provider, or import a connection string, while the stack runs. */
export const LOCAL_STACK_WARNING =
  'The local stack is for trying things out. Do not give it credentials of a production system: its servers protect them less than Azure does.';

/** The file in which `npm start` writes how to reach the stack. */
export const STACK_FILE = fileURLToPath(new URL('../.local/stack.json', import.meta.url));

/** Whether a process with this id is running. */
export function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}
