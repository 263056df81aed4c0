/** How Node, and undici in the middle of a response, name a connection that the other side has closed: before the response, or in the middle of it. */
const CLOSED: readonly unknown[] = ['ECONNRESET', 'EPIPE', 'ERR_STREAM_PREMATURE_CLOSE', 'UND_ERR_SOCKET'];

/**
 * Reads once more, immediately, if the connection was closed: a service may close an idle connection at the moment in which the next
 * request is sent over it. Only for reads: a write may have been executed.
 * @param read sends the request anew at each call; `again` says that it is the second one
 */
export async function repeatIfClosed<T>(read: (again: boolean) => Promise<T>): Promise<T> {
  try {
    return await read(false);
  } catch (thrown) {
    if (!CLOSED.includes((thrown as { readonly code?: unknown } | undefined)?.code)) throw thrown;
    return read(true);
  }
}
