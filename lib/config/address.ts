import { isLoopback } from '../loopback.ts';

/** Which addresses are accepted besides `https://host`. */
export interface AddressRules {
  /** Accept plain http if the host is this machine. */
  readonly allowLoopbackHttp: boolean;
  /** Accept a path. Default true. */
  readonly path?: boolean;
  /** Accept a query. Default true. */
  readonly query?: boolean;
}

/** The address, or the problem with it as the end of a sentence. */
export type Address =
  | { readonly url: URL; readonly cause?: undefined }
  | { readonly url?: undefined; readonly cause: string };

/** Longest address that is accepted, in characters. */
const LONGEST_ADDRESS = 2000;

/** Reads an absolute https address. The cause never repeats the text. */
export function readAddress(text: string, rules: AddressRules): Address {
  const cause = textCause(text);
  if (cause) return { cause };
  const url = URL.parse(text);
  if (!url) return { cause: 'is not an absolute address' };
  const urlCause = schemeCause(url, rules) ?? partsCause(url, text, rules);
  return urlCause ? { cause: urlCause } : { url };
}

/**
 * The address of a vault or another service: scheme, host and port, without a slash at the end.
 * @returns the address, or the cause
 */
export function readOrigin(
  text: string,
  allowLoopbackHttp: boolean,
): { readonly origin: string; readonly cause?: undefined } | { readonly cause: string } {
  const { url, cause } = readAddress(text, { allowLoopbackHttp, path: false, query: false });
  return url ? { origin: url.origin } : { cause };
}

/** The URL parser silently drops line ends and tabs, which would make two different texts the same address. */
function textCause(text: string): string | undefined {
  if (text.length > LONGEST_ADDRESS) return `is longer than ${LONGEST_ADDRESS} characters`;
  if (/[^\x21-\x7e]/.test(text)) return 'contains white space or characters other than ASCII';
  return undefined;
}

function schemeCause(url: URL, { allowLoopbackHttp }: AddressRules): string | undefined {
  if (url.protocol === 'https:') return undefined;
  if (url.protocol !== 'http:' || !isLoopback(url.hostname)) return 'must use https';
  return allowLoopbackHttp
    ? undefined
    : 'must use https (http to this machine needs ALLOW_LOOPBACK_HTTP=true)';
}

function partsCause(url: URL, text: string, { path = true, query = true }: AddressRules): string | undefined {
  // The parser hides empty parts ("https://@host", "https://host/#"), so this checks the text itself as well.
  const authority = /^[a-z]+:[/\\]*([^/\\?#]*)/i.exec(text)?.[1] ?? '';
  if (url.username || url.password || authority.includes('@'))
    return 'must not contain a user name or password';
  if (text.includes('#')) return 'must not have a fragment (#)';
  if (!query && text.includes('?')) return 'must not have a query (?)';
  if (!path && url.pathname !== '/') return 'must not have a path';
  return undefined;
}
