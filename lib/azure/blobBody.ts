import type { BlobDownloadResponseParsed } from '@azure/storage-blob';

/**
 * Reads the body of a download.
 * @returns undefined where it has more than `limit` bytes; the rest is not read then
 */
export async function readBlob(
  answer: BlobDownloadResponseParsed,
  limit: number,
): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop destroys the stream, and with it the connection.
  for await (const chunk of answer.readableStreamBody ?? []) {
    const bytes = Buffer.from(chunk);
    length += bytes.length;
    if (length > limit) return undefined;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks);
}
