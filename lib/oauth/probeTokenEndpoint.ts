import type { Connection } from '../rotation/core/connection.ts';
import { reachOf, refusedKind } from './egress.ts';
import { fixes, fixFor } from './fixes.ts';
import { postTokenRequest, type SendOptions } from './postTokenRequest.ts';
import { readTokenResponse } from './readTokenResponse.ts';
import { tokenAddress } from './tokenAddress.ts';

/** The result of an empty request to a token endpoint. */
export interface Probe {
  /** `odd`: there is a response, but not that of a token endpoint. */
  readonly state: 'answers' | 'odd' | 'unreachable';
  /** A sentence. */
  readonly message: string;
  readonly fix?: string;
}

/** The provider can neither grant nor use up anything: RFC 6749 section 5.2 requires `invalid_request` as the response. */
const EMPTY = {
  headers: { 'content-type': 'application/x-www-form-urlencoded', accept: 'application/json' },
  body: '',
};

const TERMS = { mayStillSend: () => true, waitMs: 8_000 };

/** Sends an empty request, without any secret, over the same kind of connection as a token request. Never throws. */
export async function probeTokenEndpoint(
  connection: Connection,
  allowLoopbackHttp: boolean,
  options: SendOptions = {},
): Promise<Probe> {
  const { tokenUri, allowPrivateNetwork } = connection;
  const url = tokenAddress(tokenUri, allowLoopbackHttp);
  if (!(url instanceof URL)) return { state: 'unreachable', message: url.message, fix: url.fix };
  const reach = reachOf(url, { allowLoopback: allowLoopbackHttp, allowPrivateNetwork });
  const result = await postTokenRequest(url, EMPTY, reach, TERMS, options);
  if (result.kind !== 'response') {
    return {
      state: 'unreachable',
      message: `${url.host} cannot be reached (${result.why}).`,
      fix: fixOf(result.why, connection),
    };
  }
  const error = readTokenResponse(result.body, connection.behavior)?.error;
  if (error?.code !== undefined && result.status >= 400)
    return { state: 'answers', message: `${url.host} responds as a token endpoint.` };
  return {
    state: 'odd',
    message: `${url.host} returned HTTP ${result.status} without an OAuth error for an empty request.`,
    fix: "Check that tokenUri is the provider's token endpoint; redirects are not followed.",
  };
}

function fixOf(why: string, connection: Connection): string {
  const kind = refusedKind(why);
  if (kind) return fixFor(kind === 'private' ? fixes.privateNetwork : fixes.publicAddress, connection);
  if (/CERT|SELF_SIGNED|VERIFY|TLS|SSL|ALTNAME/.test(why))
    return 'Ask the provider to renew its certificate, or add its certificate authority with NODE_EXTRA_CA_CERTS.';
  if (/NOTFOUND|EAI/.test(why)) return 'Check the host in tokenUri and the DNS settings.';
  return 'Check tokenUri, and allow its host and port in the firewall.';
}
