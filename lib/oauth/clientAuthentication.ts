import type { ClientAuthentication } from '../rotation/core/connection.ts';
import type { TokenRequest } from '../rotation/core/tokenRequest.ts';

/** The parts of a request that authenticate the client. */
export interface Authentication {
  readonly headers: Readonly<Record<string, string>>;
  /** Members of the form body. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** RFC 7523 section 2.2. */
const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** The client's credentials in the form that the method requires. Never throws. */
export function authenticate(
  method: ClientAuthentication,
  {
    clientId,
    clientSecret,
    clientAssertion = '',
  }: Pick<TokenRequest, 'clientId' | 'clientSecret' | 'clientAssertion'>,
): Authentication {
  switch (method) {
    case 'client_secret_basic':
      return basic(basicCredentials(clientId, clientSecret));
    case 'client_secret_basic_raw':
      return basic(rawBasicCredentials(clientId, clientSecret));
    case 'client_secret_post':
      return { headers: {}, parameters: { client_id: clientId, client_secret: clientSecret } };
    case 'none':
      return { headers: {}, parameters: { client_id: clientId } };
    case 'private_key_jwt':
    case 'managed_identity_federation': {
      // The client id may be left out (RFC 7521 section 4.2), but some providers need it.
      const assertion = { client_assertion_type: ASSERTION_TYPE, client_assertion: clientAssertion };
      return { headers: {}, parameters: { client_id: clientId, ...assertion } };
    }
  }
}

function basic(credentials: string): Authentication {
  return { headers: { authorization: `Basic ${credentials}` }, parameters: {} };
}

/** What follows `Basic` in the Authorization header: both parts are form-encoded before they are joined (RFC 6749 section 2.3.1). */
export function basicCredentials(clientId: string, clientSecret: string): string {
  return rawBasicCredentials(formEncode(clientId), formEncode(clientSecret));
}

/** The same with both parts as they are (RFC 7617), for servers that forget to decode them. */
export function rawBasicCredentials(clientId: string, clientSecret: string): string {
  return Buffer.from(`${clientId}:${clientSecret}`).toString('base64');
}

/**
 * Form-encoding (RFC 6749 appendix B). It escapes no character that need not be escaped: a decoder sees no difference.
 * The many servers that forget to decode still understand `~`, which many client secrets contain.
 */
function formEncode(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replaceAll('%20', '+');
}
