import * as z from 'zod';
import { RotatorError } from '../lib/errors.ts';
import { isAlive } from './localStack.ts';
import { readOwnFile } from './ownFile.ts';

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
