import type { ClientAuthentication } from '../rotation/core/connection.ts';

/** The parts of a request that authenticate the client. */
export interface Authentication {
  readonly headers: Readonly<Record<string, string>>;
  /** Members of the form body. */
  readonly parameters: Readonly<Record<string, string>>;
}

/** The client's credentials in the form that the method requires (RFC 6749 section 2.3.1). Never throws. */
export function authenticate(
  method: ClientAuthentication,
  clientId: string,
  clientSecret: string,
): Authentication {
  if (method === 'client_secret_post') {
    return { headers: {}, parameters: { client_id: clientId, client_secret: clientSecret } };
  }
  return { headers: { authorization: basicCredentials(clientId, clientSecret) }, parameters: {} };
}

/** The value of the Authorization header: both parts are form-encoded before they are joined. */
export function basicCredentials(clientId: string, clientSecret: string): string {
  const credentials = `${formEncode(clientId)}:${formEncode(clientSecret)}`;
  return `Basic ${Buffer.from(credentials).toString('base64')}`;
}

/**
 * Form-encoding (RFC 6749 appendix B). It escapes no character that need not be escaped: a decoder sees no difference.
 * The many servers that forget to decode still understand `~`, which many client secrets contain.
 */
function formEncode(value: string): string {
  return encodeURIComponent(value.toWellFormed()).replaceAll('%20', '+');
}
