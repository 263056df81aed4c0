import { fileURLToPath } from 'node:url';
import * as z from 'zod';
import { RotatorError } from '../lib/errors.ts';
import { readOwnFile } from './ownFile.ts';

/** For users who sign in at a provider, or import a connection string, while the stack runs. */
export const LOCAL_STACK_WARNING =
  'The local stack is for trying things out. Do not give it credentials of a production system: its servers protect them less than Azure does.';

/** The file in which `npm start` writes how to reach the stack. */
export const STACK_FILE = fileURLToPath(new URL('../.local/stack.json', import.meta.url));

const stackFile = z.object({
  processId: z.number(),
  hostUrl: z.string(),
  /** The settings of its functions; they give access only to servers on this machine. */
  environment: z.record(z.string(), z.string()),
  authorization: z.object({
    issuer: z.string(),
    clientId: z.string(),
    clientSecretFile: z.string(),
  }),
});

/** A running local stack, as `npm start` writes it; as confidential as its data directory. */
export type LocalStack = Readonly<z.infer<typeof stackFile>>;

/**
 * Reads what a running `npm start` wrote.
 * @throws RotatorError `configuration_invalid` if no stack is running
 */
export function readLocalStack(path: string): LocalStack {
  const stack = parse(path);
  if (stack && isAlive(stack.processId)) return stack;
  throw new RotatorError({
    code: 'configuration_invalid',
    message: `No local stack is running: ${path} ${stack ? 'belongs to a stack that ended' : 'is missing or unreadable'}.`,
    fix: 'Run npm start, and keep it running.',
  });
}

function parse(path: string): LocalStack | undefined {
  try {
    return stackFile.parse(JSON.parse(readOwnFile(path) ?? ''));
  } catch {
    return undefined;
  }
}

/** Whether a process with this id is running. */
export function isAlive(processId: number): boolean {
  try {
    return process.kill(processId, 0);
  } catch {
    return false;
  }
}
