import type { IncomingMessage } from 'node:http';

/** The service behind a proxy. */
export type Service = 'credential_vault' | 'token_vault' | 'storage' | 'token_endpoint';

const VAULT_VERBS: Readonly<Record<string, string>> = { GET: 'get', PUT: 'put', PATCH: 'tag' };
const BLOB_VERBS: Readonly<Record<string, string>> = { GET: 'read', HEAD: 'read', PUT: 'write' };

/**
 * Names a request in the same way as the world of the model: the action, and the secret or record that it applies to.
 *
 * - `grant` for a token request
 * - `get`, `put`, `tag`, `versions` and the name of a secret; `challenge` if the client asks how to authenticate
 * - `list records`; `lease`, `renew`, `release`, `read`, `write`, `create` and the name of a record
 */
export function operationOf(service: Service, request: IncomingMessage): string {
  if (service === 'token_endpoint') return 'grant';
  const url = new URL(request.url ?? '/', 'http://any');
  return service === 'storage' ? storageOperation(request, url) : vaultOperation(request, url);
}

function vaultOperation({ method = '', headers }: IncomingMessage, { pathname }: URL): string {
  const [, , name, version] = pathname.split('/');
  if (!headers.authorization) return `challenge ${name}`;
  if (version === 'versions') return `versions ${name}`;
  return `${VAULT_VERBS[method] ?? method} ${name}`;
}

function storageOperation(
  { method = '', headers }: IncomingMessage,
  { pathname, searchParams }: URL,
): string {
  if (searchParams.get('comp') === 'list') return 'list records';
  if (searchParams.get('restype') === 'container') return 'container';
  const name = decodeURIComponent(pathname.split('/').at(-1) ?? '').replace(/\.json$/, '');
  const action = headers['x-ms-lease-action'];
  if (action !== undefined) return `${action === 'acquire' ? 'lease' : action} ${name}`;
  if (method === 'PUT' && headers['if-none-match'] === '*') return `create ${name}`;
  return `${BLOB_VERBS[method] ?? method} ${name}`;
}

/**
 * The client that sends a token request (RFC 6749, section 2.3.1: HTTP Basic, or the form).
 * @returns undefined for every other request
 */
export function clientOf(service: Service, { headers }: IncomingMessage, body: Buffer): string | undefined {
  if (service !== 'token_endpoint') return undefined;
  const basic = /^Basic (.+)$/i.exec(headers.authorization ?? '')?.[1];
  if (!basic) return new URLSearchParams(body.toString()).get('client_id') ?? undefined;
  return decodeURIComponent(Buffer.from(basic, 'base64').toString().split(':')[0] ?? '');
}
