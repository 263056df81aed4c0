import { RotatorError } from '../errors.ts';
import { described, notSignedIn, unavailable } from './serviceErrors.ts';
import { readFailure, type SeenResponse, type ServiceFailure } from './serviceFailure.ts';

/** A request to a vault. */
export interface VaultCall {
  readonly action: 'get' | 'set' | 'update' | 'list';
  readonly secret: string;
  readonly vaultUrl: string;
}

/** The words for each action, and the data action that a role must grant for it. */
const ACTIONS = {
  get: { verb: 'read', right: 'secrets/getSecret' },
  set: { verb: 'write', right: 'secrets/setSecret' },
  update: { verb: 'update', right: 'secrets/update' },
  list: { verb: 'list the versions of', right: 'secrets/readMetadata' },
} as const;

const DELETED = ['ObjectIsDeletedButRecoverable', 'ObjectIsBeingDeleted'];
const NETWORK_RULES = ['ForbiddenByFirewall', 'ForbiddenByConnection'];

/**
 * The error for anything that the Key Vault client threw: it names the secret and the vault, and contains no part of
 * the request or the response.
 * @param seen the last response that the client received, if any
 */
export function vaultError(thrown: unknown, call: VaultCall, seen?: SeenResponse): RotatorError {
  if (thrown instanceof RotatorError) return thrown;
  const failure = readFailure(thrown, seen);
  const what = `${ACTIONS[call.action].verb} the secret ${call.secret}`;
  if (failure.kind === 'identity') return notSignedIn('vault', what, call.vaultUrl);
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
  const { verb, right } = ACTIONS[call.action];
  const network = NETWORK_RULES.some((code) => failure.codes.includes(code));
  return new RotatorError({
    code: 'vault_forbidden',
    message: `${call.vaultUrl} does not let the rotator ${verb} the secret ${call.secret} (${described(failure)}).`,
    fix: network
      ? `Allow the rotator through the firewall of ${call.vaultUrl}: with virtual network integration and a private endpoint, or with an IP rule.`
      : `Grant the rotator's identity the data action ${right} on ${call.vaultUrl}, for example with the role Key Vault Secrets Officer.`,
  });
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
