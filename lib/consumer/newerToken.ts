import type { TokenReader } from './tokenReader.ts';

/** A token other than the one that the API refused; undefined if there is none: then the API's own response says the most. */
export async function newerToken(
  reader: TokenReader,
  rejected: string,
  signal?: AbortSignal,
): Promise<string | undefined> {
  try {
    const { token } = await reader.get({ rejected, signal });
    return token === rejected ? undefined : token;
  } catch {
    signal?.throwIfAborted();
    return undefined;
  }
}
