import { RotatorError } from '../errors.ts';
import type { SecretProperties } from '../rotation/ports.ts';
import { policyFix } from './azurePolicy.ts';
import { described, notSignedIn, SAYS_CLOCK, SYNCHRONIZE_CLOCK, unavailable } from './serviceErrors.ts';
import { readFailure, type SeenResponse, type ServiceFailure } from './serviceFailure.ts';

/** A request to a vault. */
export interface VaultCall {
  readonly action: keyof typeof ACTIONS;
  /** The name of the secret, or of the key or certificate. */
  readonly secret: string;
  readonly vaultUrl: string;
  /** What a new version was to have. */
  readonly properties?: SecretProperties;
}

const SECRET = { noun: 'secret', role: 'Key Vault Secrets Officer' };
const KEY = { noun: 'key', role: 'Key Vault Crypto User' };

/** The words for each action, the data action that a role must grant for it, and the permission in an access policy. */
const ACTIONS = {
  get: { ...SECRET, verb: 'read', right: 'secrets/getSecret', permission: 'Get' },
  set: { ...SECRET, verb: 'write', right: 'secrets/setSecret', permission: 'Set' },
  update: { ...SECRET, verb: 'update', right: 'secrets/update', permission: 'Set' },
  list: { ...SECRET, verb: 'list the versions of', right: 'secrets/readMetadata', permission: 'List' },
  getKey: { ...KEY, verb: 'read', right: 'keys/read', permission: 'Get' },
  sign: { ...KEY, verb: 'sign with', right: 'keys/sign/action', permission: 'Sign' },
  getCertificate: {
    noun: 'certificate',
    role: 'Key Vault Certificate User',
    verb: 'read',
    right: 'certificates/read',
    permission: 'Get',
  },
} as const;

/** So much of the service's text is searched, in characters. */
const LONGEST_TEXT = 10_000;

const DELETED = ['ObjectIsDeletedButRecoverable', 'ObjectIsBeingDeleted'];

/**
 * The error for anything that the Key Vault client threw: it names the secret and the vault, and contains no part of
 * the request or the response.
 * @param seen the last response that the client received, if any
 */
export function vaultError(thrown: unknown, call: VaultCall, seen?: SeenResponse): RotatorError {
  if (thrown instanceof RotatorError) return thrown;
  const failure = readFailure(thrown, seen);
  const request = { service: 'vault', what: actionOf(call), address: call.vaultUrl } as const;
  if (failure.signIn) return notSignedIn(request, failure.signIn);
  const passing = unavailable(request, failure);
  if (failure.kind === 'silent') return isRefusedAddress(thrown) ? notAVault(call) : passing;
  const { status, codes } = failure;
  if (codes.some((code) => /^(Secret|Key|Certificate)Disabled$/.test(code))) return disabled(call);
  if (status === 401 || status === 403) return forbidden(call, failure, { text: textOf(thrown), seen });
  if (status === 409 && DELETED.some((code) => codes.includes(code))) return softDeleted(call);
  if (status === 429) return throttled(call, failure);
  if (status >= 400 && status < 500 && status !== 408 && status !== 409) return rejected(call, failure);
  return passing;
}

/** "read the secret crm-refresh-token" */
function actionOf({ action, secret }: VaultCall): string {
  const { verb, noun } = ACTIONS[action];
  return `${verb} the ${noun} ${secret}`;
}

/** A request that is not sent because the vault would refuse it. */
export function refused(message: string, fix: string): RotatorError {
  return new RotatorError({ code: 'vault_rejected', message, fix });
}

/** What the service said, beside its codes. Nothing of the text is shown. */
interface Said {
  readonly text: string;
  readonly seen: SeenResponse | undefined;
}

function forbidden(call: VaultCall, failure: ServiceFailure, said: Said): RotatorError {
  const { vaultUrl, secret, properties } = call;
  if (isAzurePolicy(call, failure, said.text)) {
    const date = properties?.expiresAt;
    const expiration = date === undefined ? 'without an expiration date' : 'with its expiration date';
    return new RotatorError({
      code: 'vault_policy',
      message: `An Azure Policy does not let ${vaultUrl} store the secret ${secret} ${expiration} (${described(failure)}).`,
      fix: policyFix({ vaultUrl, secret, properties, ...said }),
    });
  }
  return new RotatorError({
    code: 'vault_forbidden',
    message: `${vaultUrl} does not let the rotator ${actionOf(call)} (${described(failure)}).`,
    fix: forbiddenFix(call, failure, said.text),
  });
}

/** The text of a vault in access-policy mode that lacks a permission. Some of them have the code ForbiddenByPolicy as well. */
const LACKS_PERMISSION = /does not have (?:secret|key|certificate)s? .{1,40} permission/i;
/** An access policy that holds only for a user together with an application. */
const NEEDS_USER = /on-behalf-of/i;
const SAYS_POLICY = /policy(?:Assignment|Definition)|azure policy|by policy|RequestDisallowedByPolicy/i;

/** Policies for secrets deny new versions, to every identity. */
function isAzurePolicy({ action }: VaultCall, { status, codes }: ServiceFailure, text: string): boolean {
  if (status !== 403 || action !== 'set' || LACKS_PERMISSION.test(text) || NEEDS_USER.test(text))
    return false;
  const isOther = codes.some((code) => OTHER_CAUSES.includes(code));
  return !isOther && (codes.some((code) => BY_POLICY.includes(code)) || SAYS_POLICY.test(text));
}

const BY_POLICY = [
  'ForbiddenByPolicy',
  'ForbiddenByAzurePolicy',
  'RequestDisallowedByPolicy',
  'RequestDisallowedByAzure',
];
const OTHER_CAUSES = ['ForbiddenByRbac', 'ForbiddenByFirewall', 'ForbiddenByConnection', 'AccessDenied'];

interface Refusal {
  readonly when: (failure: ServiceFailure, text: string) => boolean;
  readonly fix: (call: VaultCall) => string;
}

/** One of these codes, or words of the text. */
function says(codes: readonly string[], words?: RegExp): Refusal['when'] {
  return (failure, text) => failure.codes.some((code) => codes.includes(code)) || words?.test(text) === true;
}

/** What no role cures, the most specific first: https://learn.microsoft.com/azure/key-vault/general/rest-error-codes and common-error-codes. */
const REFUSALS: readonly Refusal[] = [
  {
    when: says(
      [
        'DisabledSubscription',
        'ReadOnlyDisabledSubscription',
        'SubscriptionNotFound',
        'SubscriptionIsDisabled',
      ],
      /subscription.{0,80}\b(?:disabled|suspended|inactive|expired|not registered|warned|past due)\b/i,
    ),
    fix: ({ vaultUrl }) =>
      `Enable the subscription of ${vaultUrl} again in the Azure portal: it is disabled, for example because a bill or a spending limit is open.`,
  },
  {
    when: says(
      ['NetworkSecurityPerimeterDenied', 'ForbiddenByNetworkSecurityPerimeter', 'ForbiddenByNsp'],
      /network security perimeter/i,
    ),
    fix: ({ vaultUrl }) =>
      `Allow the rotator in the network security perimeter of ${vaultUrl}: with an inbound access rule for its subscription or its address.`,
  },
  {
    when: says(
      ['ForbiddenByConnection'],
      /public network access is disabled|not from a trusted service nor via an approved private link/i,
    ),
    fix: ({ vaultUrl }) =>
      `Allow the rotator through the firewall of ${vaultUrl} with virtual network integration and an approved private endpoint, and check that the vault's name resolves to it: the vault refuses all public addresses, so an IP rule has no effect.`,
  },
  {
    when: says(['ForbiddenByFirewall'], /client address is not authorized/i),
    fix: ({ vaultUrl }) =>
      `Allow the rotator through the firewall of ${vaultUrl}: with virtual network integration and a private endpoint, or with an IP rule.`,
  },
  {
    when: (_, text) => NEEDS_USER.test(text),
    fix: ({ action, vaultUrl }) =>
      `Give the rotator's identity an access policy of its own in ${vaultUrl}, with the ${ACTIONS[action].noun} permission ${ACTIONS[action].permission}: the one it has names an authorized application as well, and holds only for users of that application.`,
  },
  {
    when: (failure, text) => failure.codes.includes('AccessDenied') || LACKS_PERMISSION.test(text),
    fix: ({ action, vaultUrl }) =>
      `Give the rotator's identity the ${ACTIONS[action].noun} permission ${ACTIONS[action].permission} in the access policies of ${vaultUrl}, or switch the vault to Azure role-based access control: a role has no effect there now.`,
  },
  {
    when: says(['ForbiddenByPolicy']),
    fix: ({ action, vaultUrl }) =>
      `Allow ${ACTIONS[action].permission} for ${ACTIONS[action].noun}s in the access policies of ${vaultUrl}, or exempt the vault from the Azure Policy that refuses the request.`,
  },
];

/** What no sign-in with the same identity cures: the numbers in the text of a 401. */
const AUTHENTICATION: readonly Refusal[] = [
  {
    when: (_, text) => /AKV10022|invalid audience/i.test(text),
    fix: ({ vaultUrl }) =>
      `Use a vault and an identity of the same Azure cloud: the token is for another audience than ${vaultUrl}. Outside Azure, set AZURE_AUTHORITY_HOST to the sign-in address of the cloud of the vault.`,
  },
  {
    when: (_, text) => /AKV10046|unable to resolve the key/i.test(text),
    fix: ({ vaultUrl }) =>
      `Move ${vaultUrl} to the tenant of the rotator's identity: the vault does not know who signed its token, as after a move of the subscription to another tenant.`,
  },
  {
    when: (_, text) => SAYS_CLOCK.test(text),
    fix: () => SYNCHRONIZE_CLOCK,
  },
];

/** A vault that uses access policies ignores role assignments. */
function forbiddenFix(call: VaultCall, failure: ServiceFailure, text: string): string {
  const { action, vaultUrl } = call;
  const known = (failure.status === 401 ? AUTHENTICATION : REFUSALS).find(({ when }) => when(failure, text));
  if (known) return known.fix(call);
  if (failure.status === 401)
    return `Sign in to the tenant of ${vaultUrl}: the vault does not accept tokens of another tenant or cloud.`;
  const role = `Grant the rotator's identity the data action ${ACTIONS[action].right} on ${vaultUrl}, for example with the role ${ACTIONS[action].role}.`;
  if (action !== 'set' || failure.codes.includes('ForbiddenByRbac')) return role;
  return `${role} If it has the role, exempt the vault from Azure Policy rules that require expiration dates or content types.`;
}

/** The service does not use a disabled secret, key or certificate. */
export function disabled({ action, secret, vaultUrl }: VaultCall): RotatorError {
  const { noun } = ACTIONS[action];
  return new RotatorError({
    code: noun === 'secret' ? 'secret_disabled' : 'key_disabled',
    message: `The ${noun} ${secret} in ${vaultUrl} is disabled.`,
    fix: `Enable the latest version of ${secret}, or ${noun === 'secret' ? 'set' : 'create'} a new one.`,
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
    message: `${call.vaultUrl} is throttling requests and did not ${actionOf(call)} (${described(failure)}).`,
    fix: 'Wait a few minutes. If it continues, find out what else uses the vault, or spread the connections over more vaults.',
  };
  return new RotatorError(problem, failure);
}

function rejected(call: VaultCall, failure: ServiceFailure): RotatorError {
  return refused(
    `${call.vaultUrl} refused to ${actionOf(call)} (${described(failure)}).`,
    `Check ${call.secret} in the vault: something may have deleted it, or may prevent changes to it.`,
  );
}

function notAVault({ vaultUrl }: VaultCall): RotatorError {
  return refused(
    `${vaultUrl} is not the address of a Key Vault, so the rotator sends no token to it.`,
    'Correct the vault URL: it needs https, and a host in the Key Vault domain of your cloud.',
  );
}

function textOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message.slice(0, LONGEST_TEXT) : '';
}

/** The client throws plain errors when it refuses to send its token to a host that is not a vault, or without TLS. */
function isRefusedAddress(thrown: unknown): boolean {
  const refusal = /challenge|must use HTTPS|allowInsecureConnection/i;
  return thrown instanceof Error && thrown.name === 'Error' && refusal.test(thrown.message);
}
