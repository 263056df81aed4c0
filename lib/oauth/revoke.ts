import { hostLookup } from '../hostLookup.ts';
import type { Connection } from '../rotation/core/connection.ts';
import type { Revoke } from '../rotation/core/tokenRequest.ts';
import { authenticate } from './clientAuthentication.ts';
import { reachOf } from './egress.ts';
import { REQUEST_HEADERS } from './httpTokenRequest.ts';
import { postTokenRequest, type SendOptions } from './postTokenRequest.ts';
import { profileNamed } from './providers/index.ts';
import { readTokenResponse } from './readTokenResponse.ts';
import { tokenAddress } from './tokenAddress.ts';

/** The request may be sent at any time: a second one does no harm (RFC 7009 section 2.2). */
const TERMS = { mayStillSend: () => true, waitMs: 15_000 };
/** Some providers say this of a token that has ended, although RFC 7009 section 2.2 asks for a success. */
const NOT_VALID = 'invalid_token';
/** RFC 7009 section 2.2.1, RFC 6749 section 5.2. */
const CODES = ['unsupported_token_type', 'invalid_client', 'invalid_request', 'unauthorized_client'] as const;
const BY_HAND =
  'Revoke the access of the client at the provider, for example in its list of connected applications.';

/**
 * The revocation endpoints of all connections (RFC 7009), reached over the same kind of connection as the token endpoints.
 * @param allowLoopbackHttp whether tokens may go to this machine, also over http
 */
export function createRevocation(options: SendOptions & { readonly allowLoopbackHttp: boolean }): Revoke {
  const { allowLoopbackHttp } = options;
  const sending = { ...options, lookup: options.lookup ?? hostLookup() };
  return async (revoked) => {
    const { connection, refreshToken } = revoked;
    const { revocationUri, clientAuthentication, allowPrivateNetwork, behavior } = connection;
    if (revocationUri === undefined)
      return problem(connection, 'The rotator knows no revocation endpoint of its provider.');
    const url = tokenAddress(revocationUri, allowLoopbackHttp);
    if (!(url instanceof URL)) return problem(connection, 'Its revocationUri is not a valid https address.');
    const authentication = authenticate(clientAuthentication, revoked);
    const form = { token: refreshToken, token_type_hint: 'refresh_token', ...authentication.parameters };
    const request = {
      headers: { ...REQUEST_HEADERS, ...authentication.headers },
      body: new URLSearchParams(form).toString(),
    };
    const reach = reachOf(url, { allowLoopback: allowLoopbackHttp, allowPrivateNetwork });
    const send = () => postTokenRequest(url, request, reach, TERMS, sending);
    const first = await send();
    // A second revocation does no harm (RFC 7009 section 2.2).
    const result = first.kind === 'response' ? first : await send();
    if (result.kind !== 'response')
      return unreachable(connection, `${url.host} did not respond (${result.why}).`);
    const { status } = result;
    if (status >= 200 && status < 300) return undefined;
    const said = readTokenResponse(result.body, behavior)?.error?.code;
    if (said === NOT_VALID) return undefined;
    // Other words may repeat a secret.
    const code = CODES.find((each) => each === said);
    const answer = `${url.host} returned HTTP ${status}${code === undefined ? '' : `, ${code}`}.`;
    return status === 429 || status >= 500 ? unreachable(connection, answer) : problem(connection, answer);
  };
}

function problem({ name, provider }: Connection, why: string) {
  const fix = profileNamed(provider).revokeByHand ?? BY_HAND;
  return {
    code: 'revocation_failed',
    message: `The refresh token of ${name} was not revoked. ${why}`,
    fix,
  } as const;
}

function unreachable(connection: Connection, why: string) {
  const { name } = connection;
  return { ...problem(connection, why), fix: `Run rotator remove ${name} --revoke again.` };
}
