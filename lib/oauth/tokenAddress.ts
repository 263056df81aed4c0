import { isLoopback } from '../loopback.ts';
import type { TokenRequestFailure } from '../rotation/core/tokenRequest.ts';

/**
 * The address of a token endpoint that may receive secrets (RFC 6749 sections 3.2 and 10.9): https without
 * user info and without a fragment; http only to this machine, and only if that is allowed. Never throws.
 */
export function tokenAddress(tokenUri: string, allowLoopbackHttp: boolean): URL | TokenRequestFailure {
  const url = URL.parse(tokenUri);
  if (!url) return refused('is not an absolute address');
  if (url.username !== '' || url.password !== '') return refused('contains a user name or a password');
  if (url.hash !== '') return refused('contains a fragment');
  if (url.protocol === 'https:') return url;
  if (url.protocol === 'http:' && allowLoopbackHttp && isLoopback(url.hostname)) return url;
  return refused('is not an https address');
}

/** The message does not repeat the address, because it may contain secrets. */
function refused(why: string): TokenRequestFailure {
  return {
    class: 'misconfigured',
    code: 'misconfigured',
    message: `Nothing was sent: the tokenUri of the connection ${why}.`,
    fix: "Set tokenUri to the https address of the provider's token endpoint.",
  };
}
