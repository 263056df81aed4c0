import type { IncomingMessage } from 'node:http';
import { readLimited } from '../lib/readLimited.ts';

/**
 * The body of a request to a local server.
 * @returns undefined if it has more than `limit` bytes. The rest is discarded as it arrives, because many clients read no
 *   response before they have sent everything
 */
export async function readBody(request: IncomingMessage, limit: number): Promise<Buffer | undefined> {
  // Leaving the loop must not destroy the connection, because the server still has to send a response.
  const body = await readLimited(request.iterator({ destroyOnReturn: false }), limit);
  if (body === undefined) request.resume();
  return body;
}
