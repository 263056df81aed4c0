import type { GetTokenOptions, TokenCredential } from '@azure/identity';
import type { TokenReader } from './tokenReader.ts';

/**
 * A credential for clients of the Azure SDK, and whatever else takes one, that gives the connection's token. The scopes that a
 * client asks for make no difference: the token has those that the connection was given.
 * @throws TokenUnavailable from `getToken`
 */
export function tokenCredential(reader: TokenReader): TokenCredential {
  return {
    getToken: async (_scopes, { abortSignal } = {}) => {
      const { token, expiresAt } = await reader.get({ signal: abortSignal && standard(abortSignal) });
      // Clients keep a token almost until it expires. They are to ask each time: the reader knows when there is a newer one.
      return { token, expiresOnTimestamp: expiresAt, refreshAfterTimestamp: 1 };
    },
  };
}

/** The SDK's own type knows less than what it is given: a signal of the platform, or one that only tells. */
function standard(signal: NonNullable<GetTokenOptions['abortSignal']>): AbortSignal {
  if (signal instanceof AbortSignal) return signal;
  const controller = new AbortController();
  if (signal.aborted) controller.abort();
  else signal.addEventListener('abort', () => controller.abort(), { once: true });
  return controller.signal;
}
