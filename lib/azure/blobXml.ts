import { hash } from 'node:crypto';
import { SaxesParser } from 'saxes';
import { copyOf } from './textCopy.ts';

/** What a list tells about a blob. */
export interface ListedBlob {
  readonly name: string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly leased: boolean;
  /** Milliseconds since the epoch. */
  readonly changedAt: number;
}

/** Who reads a list. */
export interface ListReader {
  /** Called for each blob that is not known, with a digest of all that the list tells about it. */
  readonly found: (blob: ListedBlob, digest: string | undefined) => void;
  /** Was a blob with this digest read before? Then the list tells nothing new about it, and it is passed over. */
  readonly isKnown: (digest: string) => boolean;
}

/**
 * Reads a page of List Blobs piece by piece, so that a page of 5,000 blobs is never in memory as a whole. Of a list that is read again
 * and again, most blobs have not changed, and comparing their text takes a tenth of the time of parsing it.
 * @returns the marker of the next page; undefined if this was the last one
 * @throws Error if it is not a list
 */
export async function readBlobList(
  page: AsyncIterable<Uint8Array>,
  { found, isKnown }: ListReader,
): Promise<string | undefined> {
  let marker = '';
  let digest: string | undefined;
  let blob = newBlob();
  const before = new Map<string, string>();
  /** Most records name the vaults of the one before, whose text then serves both: each of them stays in memory. */
  const sameAsBefore = (field: string, text: string) => {
    const known = before.get(field);
    if (known === text) return known;
    const copy = copyOf(text);
    before.set(field, copy);
    return copy;
  };
  const { parser, path } = elementParser(([root, parent, each, group, field], text) => {
    if (root !== LIST) throw new Error('The response is not a list of blobs.');
    if (parent === 'NextMarker') marker = text;
    else if (group === 'Name') blob.name = copyOf(text);
    else if (group === 'Properties' && field === 'LeaseState') blob.leased = text === 'leased';
    else if (group === 'Properties' && field === 'Last-Modified') blob.changedAt = Date.parse(text);
    else if (group === 'Metadata' && field !== undefined) blob.metadata[field] = sameAsBefore(field, text);
    else if (each === 'Blob' && group === undefined) {
      found(blob, digest);
      blob = newBlob();
    }
  });
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of page) {
    text += decoder.decode(chunk, { stream: true });
    let from = 0;
    for (let last = text.indexOf(END); last >= 0; last = text.indexOf(END, from)) {
      const first = text.indexOf(START, from);
      const start = first >= 0 && first < last ? first : from;
      parser.write(text.slice(from, start));
      const isWhole = start === first && path.join('/') === BLOBS;
      from = last + END.length;
      const element = text.slice(start, from);
      digest = isWhole ? hash('sha256', element, 'base64') : undefined;
      if (digest === undefined || !isKnown(digest)) parser.write(element);
    }
    text = text.slice(from);
    if (text.length > LONGEST_BLOB) throw new Error('The response is not a list of blobs.');
  }
  parser.write(text).close();
  return marker || undefined;
}

const LIST = 'EnumerationResults';
/** Where the blobs are. */
const BLOBS = `${LIST}/Blobs`;
/** In characters. The metadata of a blob have 8 KB, of which each character may be escaped. */
const LONGEST_BLOB = 100_000;
/** A text cannot contain them: there, `<` is escaped. */
const START = '<Blob>';
const END = '</Blob>';

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
  const { parser } = elementParser(([root, field, ...deeper], text) => {
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
  for (const kind of ['text', 'cdata'] as const)
    parser.on(kind, (part) => {
      text += part;
    });
  parser.on('closetag', () => {
    ended(path, text);
    path.pop();
    text = '';
  });
  return { parser, path };
}
