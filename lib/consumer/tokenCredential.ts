import type { GetTokenOptions, TokenCredential } from '@azure/core-auth';
import type { TokenReader } from './tokenReader.ts';

/**
 * A credential that returns the connection's token, for clients of the Azure SDK and other libraries that accept one. The scopes
 * that a client requests have no effect: the token has the scopes of the connection.
 * @throws TokenUnavailable from `getToken`
 */
export function tokenCredential(reader: TokenReader): TokenCredential {
  return {
    getToken: async (_scopes, { abortSignal } = {}) => {
      const { token, expiresAt } = await reader.get({ signal: abortSignal && standard(abortSignal) });
      // Clients keep a token almost until it expires. This makes them ask each time: the reader knows when there is a newer one.
      return { token, expiresOnTimestamp: expiresAt, refreshAfterTimestamp: 1 };
    },
  };
}

/** The SDK's own type is narrower than a signal of the platform: it may only report that the caller aborted. */
function standard(signal: NonNullable<GetTokenOptions['abortSignal']>): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  else signal.addEventListener('abort', () => controller.abort(), { once: true });
  return controller.signal;
}
