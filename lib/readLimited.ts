/**
 * All bytes of a body, up to a limit.
 * @param chunks a body of `fetch`, of an SDK, of an incoming request
 * @returns undefined if there are more than `limit` bytes; the rest is not read, and the iterator decides what happens to it
 */
export async function readLimited(
  chunks: AsyncIterable<Uint8Array | string> | null | undefined,
  limit: number,
): Promise<Buffer | undefined> {
  const read: Buffer[] = [];
  let length = 0;
  for await (const chunk of chunks ?? []) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > limit) return undefined;
    read.push(bytes);
  }
  return Buffer.concat(read);
}
