import { generateKeyPairSync, type JsonWebKey, randomUUID, sign, timingSafeEqual } from 'node:crypto';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { closeServer, LOOPBACK, listen, listenerOf } from './http.ts';

const PATH = '/msi/token';
const LIFETIME_SECONDS = 24 * 3600;

/** Name of the identity of a request that does not name one. */
const SYSTEM_ASSIGNED = 'system-assigned';

/** Options for starting the endpoint. */
export interface ManagedIdentityOptions {
  /** The value of `IDENTITY_HEADER`, which every request must carry. */
  readonly header: string;
  /** Clock in milliseconds. */
  readonly now?: () => number;
}

/** A running managed identity endpoint. */
export interface ManagedIdentityServer {
  /** The value for `IDENTITY_ENDPOINT`. */
  readonly url: string;
  /** The value for `IDENTITY_HEADER`. */
  readonly header: string;
  issuedTokens(): string[];
  /** What an application trusts that has a federated credential for the identity. */
  federation(identity: string): { issuer: string; subject: string; key: JsonWebKey };
  /** The identity that a token was issued to, while the token is valid. */
  identityOf(token: string): string | undefined;
  close(): Promise<void>;
}

interface IssuedToken {
  readonly identity: string;
  readonly expiresOn: number;
}

/** Starts the managed identity endpoint of App Service and Functions, as ManagedIdentityCredential uses it. */
export async function startManagedIdentity(options: ManagedIdentityOptions): Promise<ManagedIdentityServer> {
  const now = () => Math.floor((options.now ?? Date.now)() / 1000);
  const tokens = new Map<string, IssuedToken>();
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const signed = (claims: object) => {
    const input = [{ alg: 'ES256', typ: 'JWT' }, claims]
      .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
      .join('.');
    const key = { key: privateKey, dsaEncoding: 'ieee-p1363' } as const;
    return `${input}.${sign('sha256', Buffer.from(input), key).toString('base64url')}`;
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const url = new URL(`http://endpoint${request.url}`);
    const refusal = refusalOf(request, url, options.header);
    if (refusal)
      return sendJson(response, refusal.status, { statusCode: refusal.status, message: refusal.message });
    const identity = url.searchParams.get('client_id') ?? SYSTEM_ASSIGNED;
    const expiresOn = now() + LIFETIME_SECONDS;
    const claims = { iss: issuer, sub: subjectOf(identity), aud: url.searchParams.get('resource') };
    const token = signed({ ...claims, iat: now(), exp: expiresOn, jti: randomUUID() });
    tokens.set(token, { identity, expiresOn });
    sendJson(response, 200, {
      access_token: token,
      client_id: identity,
      expires_on: String(expiresOn),
      resource: url.searchParams.get('resource'),
      token_type: 'Bearer',
    });
  };

  const server = createServer(listenerOf(handle));
  const port = await listen(server);
  const issuer = `http://${LOOPBACK}:${port}/v2.0`;
  return {
    url: `http://${LOOPBACK}:${port}${PATH}`,
    header: options.header,
    federation: (identity) => ({
      issuer,
      subject: subjectOf(identity),
      key: publicKey.export({ format: 'jwk' }),
    }),
    issuedTokens: () => [...tokens.keys()],
    identityOf: (token) => {
      const issued = tokens.get(token);
      return issued && issued.expiresOn > now() ? issued.identity : undefined;
    },
    close: () => closeServer(server),
  };
}

/** The object id of the identity, which is not its client id. */
function subjectOf(identity: string): string {
  return `object-of-${identity}`;
}

function refusalOf(request: IncomingMessage, url: URL, header: string) {
  if (url.pathname !== PATH) return { status: 404, message: `Request tokens at ${PATH}.` };
  if (request.method !== 'GET') return { status: 405, message: 'Use GET.' };
  // The header proves that the caller is a process of this app and not a page that was tricked into a request.
  if (!sameText(request.headers['x-identity-header'], header)) {
    return { status: 401, message: 'X-IDENTITY-HEADER is missing or wrong.' };
  }
  for (const name of ['api-version', 'resource']) {
    if (!url.searchParams.get(name)) return { status: 400, message: `The parameter ${name} is missing.` };
  }
  return undefined;
}

function sameText(given: string | string[] | undefined, expected: string): boolean {
  if (typeof given !== 'string') return false;
  const [left, right] = [Buffer.from(given), Buffer.from(expected)];
  return left.length === right.length && timingSafeEqual(left, right);
}

function sendJson(response: ServerResponse, status: number, body: unknown): void {
  response.writeHead(status, { 'content-type': 'application/json', 'cache-control': 'no-store' });
  response.end(JSON.stringify(body));
}
