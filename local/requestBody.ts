import type { IncomingMessage } from 'node:http';
import { readLimited } from '../lib/readLimited.ts';

/**
 * The body of a request to a local server.
 * @returns undefined if it has more than `limit` bytes; the rest is thrown away as it comes, because many clients read no
 *   answer before they have sent everything
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  // Leaving the loop must not destroy the connection: there is an answer to send.
  const body = await readLimited(request.iterator({ destroyOnReturn: false }), limit);
  if (body === undefined) request.resume();
  return body;
}
