import { isLoopback } from '../loopback.ts';

/**
 * The only origin that receives the token.
 * @param api any address of the API
 * @throws TypeError if the token would travel unencrypted to another machine
 */
export function apiOrigin(api: string | URL): string {
  const { protocol, hostname, origin } = new URL(api);
  if (protocol === 'https:' || (protocol === 'http:' && isLoopback(hostname))) return origin;
  throw new TypeError(`An access token is sent over https only, not to ${protocol}//${hostname}.`);
}
