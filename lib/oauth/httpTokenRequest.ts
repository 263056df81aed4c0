import type { TokenRequest } from '../rotation/core/tokenRequest.ts';
import { USER_AGENT } from '../userAgent.ts';
import { authenticate } from './clientAuthentication.ts';

/** The headers and the body of a token request. */
export interface HttpTokenRequest {
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

/** Only this program sets these members; the parameters of a connection cannot. */
const RESERVED = new Set([
  'grant_type',
  'refresh_token',
  'client_id',
  'client_secret',
  'client_assertion',
  'client_assertion_type',
]);

/**
 * The request of RFC 6749 section 6, or of section 4.4 if the grant has no refresh token, with the parameters of its connection: as a
 * form or in the format that the provider wants. Never throws.
 */
export function httpTokenRequest(request: TokenRequest): HttpTokenRequest {
  const { connection, refreshToken } = request;
  const authentication = authenticate(connection.clientAuthentication, request);
  const form = new URLSearchParams(
    connection.grant === 'client_credentials'
      ? { grant_type: connection.grant }
      : { grant_type: 'refresh_token', refresh_token: refreshToken },
  );
  for (const [name, value] of Object.entries(connection.parameters)) {
    if (!RESERVED.has(name)) form.set(name, value);
  }
  for (const [name, value] of Object.entries(authentication.parameters)) form.set(name, value);
  const headers = { ...REQUEST_HEADERS, ...authentication.headers };
  if (connection.behavior.requestFormat !== 'json') return { headers, body: form.toString() };
  const body = JSON.stringify(Object.fromEntries(form));
  return { headers: { ...headers, 'content-type': 'application/json' }, body };
}

/** No compression: a compressed response can be a decompression bomb, or be cut short. */
export const REQUEST_HEADERS = {
  accept: 'application/json',
  'accept-encoding': 'identity',
  'content-type': 'application/x-www-form-urlencoded',
  'user-agent': USER_AGENT,
} as const;
