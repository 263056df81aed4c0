import { accepted, readAccessToken, type TokenPlace } from './requests.ts';
import type { Servers } from './servers.ts';

/** What a consumer needs to know of the servers. */
interface Places extends TokenPlace {
  readonly authorization: Pick<Servers['authorization'], 'resourceEndpoint'>;
}

/** A token that a consumer found. */
export interface SeenToken {
  readonly connection: string;
  /** How many different access tokens of this connection have worked so far. */
  readonly count: number;
}

/**
 * Reads the access token of each connection repeatedly, as any workload would, and tries each new one at the resource.
 * @param onToken called for each new access token that the resource accepts
 * @param signal stops the reading
 */
export async function watchTokens(
  names: readonly string[],
  servers: Places,
  onToken: (seen: SeenToken) => void,
  signal: AbortSignal,
): Promise<void> {
  const seen = new Map(names.map((name) => [name, new Set<string>()]));
  while (!signal.aborted) {
    for (const [connection, tokens] of seen) {
      if (signal.aborted) return;
      const token = await readAccessToken(connection, servers);
      if (token === undefined || tokens.has(token) || !(await accepted(token, servers))) continue;
      tokens.add(token);
      onToken({ connection, count: tokens.size });
    }
    await pause(250, signal);
  }
}

function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const timer = setTimeout(done, ms);
    signal.addEventListener('abort', done, { once: true });
    function done() {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    }
  });
}
