import { VaultError } from './errors.ts';
import type { Route } from './routing.ts';
import type { VaultOperation, VaultResponse, VaultRight } from './types.ts';

const TENANT = 'https://login.microsoftonline.com/00000000-0000-4000-8000-000000000000';
const RESOURCE = 'https://vault.azure.net';

const NEEDED: Readonly<Record<VaultOperation, VaultRight | undefined>> = {
  getSecret: 'get',
  setSecret: 'set',
  updateSecret: 'update',
  listVersions: 'list',
  listSecrets: 'list',
  deleteSecret: 'delete',
  getDeleted: 'get',
  listDeleted: 'list',
  recover: 'recover',
  purge: 'purge',
  getKey: 'getKey',
  sign: 'sign',
  getCertificate: 'getCertificate',
  unknown: undefined,
};

const DATA_ACTIONS: Readonly<Record<VaultRight, string>> = {
  get: 'secrets/getSecret/action',
  set: 'secrets/setSecret/action',
  update: 'secrets/update/action',
  list: 'secrets/readMetadata/action',
  delete: 'secrets/delete',
  recover: 'secrets/recover/action',
  purge: 'secrets/purge/action',
  getKey: 'keys/read',
  sign: 'keys/sign/action',
  getCertificate: 'certificates/read',
};

/** The token of an `Authorization: Bearer` header. */
export function bearerTokenOf(header: string | undefined): string | undefined {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1];
}

/** The 401 that names the token endpoint to a client; the SDK sends its first request only to get it. */
export function challenge(tokenWasSent: boolean): VaultResponse {
  const parameters = [`authorization="${TENANT}"`, `resource="${RESOURCE}"`];
  if (tokenWasSent) parameters.push('error="invalid_token"');
  const message = tokenWasSent ? 'The token is not valid here.' : 'Request is missing a Bearer or PoP token.';
  return {
    status: 401,
    headers: { 'www-authenticate': `Bearer ${parameters.join(', ')}` },
    body: { error: { code: 'Unauthorized', message } },
  };
}

/** Refuses an operation that the caller's rights do not cover. */
export function requireRight(vault: string, route: Route, rights: readonly VaultRight[]): void {
  const needed = NEEDED[route.operation];
  if (needed === undefined || rights.includes(needed)) return;
  const action = `Microsoft.KeyVault/vaults/${DATA_ACTIONS[needed]}`;
  const target = route.secretName === undefined ? `vault ${vault}` : `secret ${route.secretName} of ${vault}`;
  const message = `Caller is not authorized to perform action on resource. Action: '${action}', resource: ${target}.`;
  throw new VaultError(403, 'Forbidden', message, { innerCode: 'ForbiddenByRbac' });
}
