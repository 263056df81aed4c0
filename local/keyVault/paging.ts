import { badParameter } from './errors.ts';

/** The highest number of items on one page, and the default. */
const MAX_PAGE_SIZE = 25;

const TOKEN_PARAMETER = '$skiptoken';

/** Where a listing continues, and the size of its page. */
export interface PageRequest {
  readonly size: number;
  readonly after?: string;
}

/** One page of a listing; `last` is the key to continue after, absent on the last page. */
export interface Page<T> {
  readonly items: readonly T[];
  readonly last?: string;
}

/** Reads `maxresults` and the skip token. */
export function readPageRequest(query: URLSearchParams): PageRequest {
  const size = query.get('maxresults') ?? String(MAX_PAGE_SIZE);
  if (!/^\d{1,2}$/.test(size) || Number(size) < 1 || Number(size) > MAX_PAGE_SIZE) {
    throw badParameter(`maxresults must be a number from 1 to ${MAX_PAGE_SIZE}.`);
  }
  const token = query.get(TOKEN_PARAMETER);
  return { size: Number(size), ...(token === null ? {} : { after: readSkipToken(token) }) };
}

/**
 * Cuts a page out of items by their keys. The token is a key, not an offset, so that a secret that appears or
 * disappears between two pages neither repeats nor hides another one.
 */
export function cutPage<T>(items: readonly T[], keyOf: (item: T) => string, request: PageRequest): Page<T> {
  const { after, size } = request;
  // Only what is on the page is sorted: a secret may have 20,000 versions, and each page looks at all of them.
  const first: { readonly item: T; readonly key: string }[] = [];
  for (const item of items) {
    const key = keyOf(item);
    const isBehind = first.length > size && key > (first.at(-1)?.key ?? '');
    if (isBehind || (after !== undefined && key <= after)) continue;
    first.push({ item, key });
    first.sort((left, right) => (left.key < right.key ? -1 : 1)).splice(size + 1);
  }
  const page = first.slice(0, size);
  const last = first.length > size ? page.at(-1)?.key : undefined;
  return { items: page.map(({ item }) => item), ...(last === undefined ? {} : { last }) };
}

/** The address of the next page, absolute as in the service. */
export function nextLink(address: string, query: URLSearchParams, last: string | undefined): string | null {
  if (last === undefined) return null;
  const parameters = [
    `api-version=${encodeURIComponent(query.get('api-version') ?? '')}`,
    `${TOKEN_PARAMETER}=${Buffer.from(JSON.stringify({ after: last })).toString('base64url')}`,
    `maxresults=${query.get('maxresults') ?? MAX_PAGE_SIZE}`,
  ];
  return `${address}?${parameters.join('&')}`;
}

function readSkipToken(token: string): string {
  try {
    const { after } = JSON.parse(Buffer.from(token, 'base64url').toString());
    if (typeof after === 'string') return after;
  } catch {
    // Continues to the same refusal as for a token of another form.
  }
  throw badParameter('The skip token was not issued by this vault.');
}
