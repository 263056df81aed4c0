import { type ConnectionRecord, summaryOf } from '../rotation/core/record.ts';

/** The end of the name of each blob that is a record. */
export const SUFFIX = '.json';

/** The blob of a connection. Connection names ignore case, and blob names do not, so they are lower case. */
export function blobNameOf(connection: string): string {
  return `${connection.toLowerCase()}${SUFFIX}`;
}

/** The body of a record's blob. */
export function bodyOf(record: ConnectionRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

/** The summary of a record as blob metadata: ASCII, keys in lower case. */
export function metadataOf(record: ConnectionRecord): Record<string, string> {
  const metadata: Record<string, string> = { connection: encodeURIComponent(record.connection) };
  for (const [field, value] of Object.entries(summaryOf(record)))
    metadata[field.toLowerCase()] = String(value);
  return metadata;
}
