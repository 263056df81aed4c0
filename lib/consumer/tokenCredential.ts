import type { TokenCredential } from '@azure/identity';
import type { TokenReader } from './tokenReader.ts';

/**
 * A credential for clients of the Azure SDK, and whatever else takes one, that gives the connection's token. The scopes that a
 * client asks for make no difference: the token has those that the connection was given.
 * @throws TokenUnavailable from `getToken`
 */
export function tokenCredential(reader: TokenReader): TokenCredential {
  return {
    getToken: async () => {
      const { token, expiresAt } = await reader.get();
      // Clients keep a token almost until it expires. They are to ask each time: the reader knows when there is a newer one.
      return { token, expiresOnTimestamp: expiresAt, refreshAfterTimestamp: 1 };
    },
  };
}
