import { RotatorError } from '../errors.ts';
import { described, notSignedIn, unavailable } from './serviceErrors.ts';
import { readFailure, type SeenResponse, type ServiceFailure } from './serviceFailure.ts';

/** A request to a vault. */
export interface VaultCall {
  readonly action: 'get' | 'set' | 'update' | 'list';
  readonly secret: string;
  readonly vaultUrl: string;
}

/** The words for each action, the data action that a role must grant for it, and the permission in an access policy. */
const ACTIONS = {
  get: { verb: 'read', right: 'secrets/getSecret', permission: 'Get' },
  set: { verb: 'write', right: 'secrets/setSecret', permission: 'Set' },
  update: { verb: 'update', right: 'secrets/update', permission: 'Set' },
  list: { verb: 'list the versions of', right: 'secrets/readMetadata', permission: 'List' },
} as const;

const DELETED = ['ObjectIsDeletedButRecoverable', 'ObjectIsBeingDeleted'];

/**
 * The error for anything that the Key Vault client threw: it names the secret and the vault, and contains no part of
 * the request or the response.
 * @param seen the last response that the client received, if any
 */
export function vaultError(thrown: unknown, call: VaultCall, seen?: SeenResponse): RotatorError {
  if (thrown instanceof RotatorError) return thrown;
  const failure = readFailure(thrown, seen);
  const what = `${ACTIONS[call.action].verb} the secret ${call.secret}`;
  if (failure.kind === 'identity') return notSignedIn('vault', what, call.vaultUrl, failure);
  const passing = unavailable('vault', what, call.vaultUrl, failure);
  if (failure.kind === 'silent') return isRefusedAddress(thrown) ? notAVault(call) : passing;
  const { status, codes } = failure;
  if (codes.includes('SecretDisabled')) return disabled(call);
  if (status === 401 || status === 403) return forbidden(call, failure);
  if (status === 409 && DELETED.some((code) => codes.includes(code))) return softDeleted(call);
  if (status === 429) return throttled(call, failure);
  if (status >= 400 && status < 500 && status !== 408 && status !== 409) return rejected(call, failure);
  return passing;
}

/** A request that is not sent because the vault would refuse it. */
export function refused(message: string, fix: string): RotatorError {
  return new RotatorError({ code: 'vault_rejected', message, fix });
}

function forbidden(call: VaultCall, failure: ServiceFailure): RotatorError {
  return new RotatorError({
    code: 'vault_forbidden',
    message: `${call.vaultUrl} does not let the rotator ${ACTIONS[call.action].verb} the secret ${call.secret} (${described(failure)}).`,
    fix: forbiddenFix(call, failure),
  });
}

const FIREWALL = (vault: string) =>
  `Allow the rotator through the firewall of ${vault}: with virtual network integration and a private endpoint, or with an IP rule.`;

/** A vault that uses access policies ignores role assignments. Azure Policy refuses writes that it would allow to no identity. */
function forbiddenFix({ action, vaultUrl }: VaultCall, { status, codes }: ServiceFailure): string {
  const { right, permission } = ACTIONS[action];
  const has = (code: string) => codes.includes(code);
  if (status === 401)
    return `Sign in to the tenant of ${vaultUrl}: the vault does not accept tokens of another tenant or cloud.`;
  if (has('ForbiddenByFirewall') || has('ForbiddenByConnection')) return FIREWALL(vaultUrl);
  if (has('AccessDenied'))
    return `Give the rotator's identity the secret permission ${permission} in the access policies of ${vaultUrl}, or switch the vault to Azure role-based access control: a role has no effect there now.`;
  if (has('ForbiddenByPolicy'))
    return `Exempt ${vaultUrl} from the Azure Policy that refuses the request, or allow ${permission} in its access policies.`;
  const role = `Grant the rotator's identity the data action ${right} on ${vaultUrl}, for example with the role Key Vault Secrets Officer.`;
  if (action !== 'set' || has('ForbiddenByRbac')) return role;
  return `${role} If it has the role, exempt the vault from Azure Policy rules that require expiration dates or content types.`;
}

function disabled({ secret, vaultUrl }: VaultCall): RotatorError {
  return new RotatorError({
    code: 'secret_disabled',
    message: `The secret ${secret} in ${vaultUrl} is disabled.`,
    fix: `Enable the latest version of ${secret}, or set a new one.`,
  });
}

function softDeleted({ secret, vaultUrl }: VaultCall): RotatorError {
  return new RotatorError({
    code: 'secret_soft_deleted',
    message: `The secret ${secret} in ${vaultUrl} is deleted but not purged, so Key Vault refuses to write it.`,
    fix: `Recover the deleted secret ${secret}, or purge it.`,
  });
}

function throttled(call: VaultCall, failure: ServiceFailure): RotatorError {
  const problem = {
    code: 'vault_throttled' as const,
    message: `${call.vaultUrl} is throttling requests and did not ${ACTIONS[call.action].verb} the secret ${call.secret} (${described(failure)}).`,
    fix: 'Wait a few minutes. If it continues, find out what else uses the vault, or spread the connections over more vaults.',
  };
  return new RotatorError(problem, failure);
}

function rejected(call: VaultCall, failure: ServiceFailure): RotatorError {
  const { verb } = ACTIONS[call.action];
  return refused(
    `${call.vaultUrl} refused to ${verb} the secret ${call.secret} (${described(failure)}).`,
    `Check ${call.secret} in the vault: something may have deleted it, or may prevent changes to it.`,
  );
}

function notAVault({ vaultUrl }: VaultCall): RotatorError {
  return refused(
    `${vaultUrl} is not the address of a Key Vault, so the rotator sends no token to it.`,
    'Correct the vault URL: it needs https, and a host in the Key Vault domain of your cloud.',
  );
}

/** The client throws plain errors when it refuses to send its token to a host that is not a vault, or without TLS. */
function isRefusedAddress(thrown: unknown): boolean {
  const refusal = /challenge|must use HTTPS|allowInsecureConnection/i;
  return thrown instanceof Error && thrown.name === 'Error' && refusal.test(thrown.message);
}
