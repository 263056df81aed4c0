import { SaxesParser } from 'saxes';

/** What a list tells about a blob. */
export interface ListedBlob {
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly leased: boolean;
  /** Milliseconds since the epoch. */
  readonly changedAt: number;
}

/**
 * Reads a page of List Blobs piece by piece, so that a page of 5,000 blobs is never in memory as a whole.
 * @param found called for each blob
 * @returns the marker of the next page; undefined if this was the last one
 * @throws Error if it is not a list
 */
export async function readBlobList(
  page: AsyncIterable<Uint8Array>,
  found: (blob: ListedBlob) => void,
): Promise<string | undefined> {
  let marker = '';
  let blob = newBlob();
  const parser = elementParser(([root, parent, each, group, field], text) => {
    if (root !== LIST) return;
    if (parent === 'NextMarker') marker = text;
    else if (group === 'Name') blob.name = text;
    else if (field === 'LeaseState') blob.leased = text === 'leased';
    else if (field === 'Last-Modified') blob.changedAt = Date.parse(text);
    else if (group === 'Metadata' && field !== undefined) blob.metadata[field] = text;
    else if (each === 'Blob' && group === undefined) {
      found(blob);
      blob = newBlob();
    }
  });
  const decoder = new TextDecoder();
  for await (const chunk of page) parser.write(decoder.decode(chunk, { stream: true }));
  parser.close();
  return marker || undefined;
}

const LIST = 'EnumerationResults';

function newBlob() {
  const metadata: Record<string, string> = {};
  return { name: '', metadata, leased: false, changedAt: Number.NaN };
}

/**
 * What a response with an error says: `message` is the service's sentence, and `authenticationErrorDetail` a detail of it.
 * @param body as XML; anything else says nothing
 */
export function errorDetails(body: string): Readonly<Record<string, string>> {
  const details: Record<string, string> = {};
  const parser = elementParser(([root, field, ...deeper], text) => {
    if (root === 'Error' && field !== undefined && deeper.length === 0)
      details[`${field.charAt(0).toLowerCase()}${field.slice(1)}`] = text;
  });
  try {
    parser.write(body).close();
  } catch {
    // A proxy or a load balancer may respond with a page, and a connection may end early.
  }
  return details;
}

/** @param ended called at the end of each element, with its path and its own text */
function elementParser(ended: (path: readonly string[], text: string) => void) {
  const parser = new SaxesParser({ position: false });
  const path: string[] = [];
  let text = '';
  parser.on('error', (error) => {
    throw error;
  });
  parser.on('opentag', ({ name }) => {
    path.push(name);
    text = '';
  });
  parser.on('text', (part) => {
    text += part;
  });
  parser.on('closetag', () => {
    ended(path, text);
    path.pop();
    text = '';
  });
  return parser;
}
