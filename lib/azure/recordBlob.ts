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
  const fields = Object.entries(summaryOf(record)).map(([field, value]) => [
    field.toLowerCase(),
    String(value),
  ]);
  return { connection: encodeURIComponent(record.connection), ...Object.fromEntries(fields) };
}
