import { createPublicKey, randomBytes, verify } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Federation, LocalClient } from './types.ts';

/** The proof that stands for one that oidc-provider does not know. No client knows it. */
export const INNER_SECRET = randomBytes(32).toString('base64url');

const ASSERTION_TYPE = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer';

/** Does the client prove its identity in a way that oidc-provider does not know? */
export function isTranslated({ clientAuthentication, clientSecret }: LocalClient): boolean {
  const isUsual =
    clientAuthentication === 'client_secret_basic' || clientAuthentication === 'client_secret_post';
  if (isUsual) return clientSecret === '';
  return (
    clientAuthentication === 'client_secret_basic_raw' ||
    clientAuthentication === 'managed_identity_federation'
  );
}

/** The client that a request with a raw Authorization header names: nothing in it is decoded. */
export function rawClientId(authorization: string | undefined): string | undefined {
  return rawCredentials(authorization)?.split(':', 1)[0];
}

/**
 * Checks such a proof, and puts the one that oidc-provider checks into its place: the right one only if the client's was right.
 * @param now milliseconds
 */
export function translateProof(
  client: LocalClient,
  headers: IncomingHttpHeaders,
  form: URLSearchParams,
  now: number,
): void {
  const isRight = proves(client, headers, form, now);
  delete headers.authorization;
  for (const name of ['client_assertion', 'client_assertion_type']) form.delete(name);
  form.set('client_id', client.clientId);
  form.set('client_secret', isRight ? INNER_SECRET : 'wrong');
}

function proves(
  { clientId, clientAuthentication, clientSecret, federation }: LocalClient,
  { authorization }: IncomingHttpHeaders,
  form: URLSearchParams,
  now: number,
): boolean {
  if (clientAuthentication === 'client_secret_post')
    return form.get('client_id') === clientId && form.get('client_secret') === clientSecret;
  if (clientAuthentication !== 'managed_identity_federation')
    return rawCredentials(authorization) === `${clientId}:${clientSecret}`;
  const assertion = form.get('client_assertion') ?? '';
  const isAssertion = form.get('client_assertion_type') === ASSERTION_TYPE;
  return isAssertion && form.get('client_id') === clientId && isFederated(assertion, federation, now);
}

function rawCredentials(authorization = ''): string | undefined {
  const encoded = /^basic +(\S+)$/i.exec(authorization)?.[1];
  return encoded === undefined ? undefined : Buffer.from(encoded, 'base64').toString();
}

/** A token of the trusted issuer for the subject and the audience of the federated credential, as Entra ID compares them. */
function isFederated(token: string, federation: Federation | undefined, now: number): boolean {
  const [header = '', payload = '', signature = ''] = token.split('.');
  if (!federation || parsed(header).alg !== 'ES256') return false;
  const key = createPublicKey({ key: federation.key, format: 'jwk' });
  const isSigned = verify(
    'sha256',
    Buffer.from(`${header}.${payload}`),
    { key, dsaEncoding: 'ieee-p1363' },
    Buffer.from(signature, 'base64url'),
  );
  const { iss, sub, aud, exp } = parsed(payload);
  const { issuer, subject, audience } = federation;
  return isSigned && iss === issuer && sub === subject && aud === audience && Number(exp) * 1000 > now;
}

function parsed(part: string): Readonly<Record<string, unknown>> {
  try {
    return JSON.parse(Buffer.from(part, 'base64url').toString());
  } catch {
    return {};
  }
}
