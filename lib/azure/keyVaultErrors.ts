import { RotatorError } from '../errors.ts';
import type { SecretProperties } from '../rotation/ports.ts';
import { policyFix } from './azurePolicy.ts';
import {
  described,
  type FailedRequest,
  lookUp,
  notSignedIn,
  SAYS_CLOCK,
  SYNCHRONIZE_CLOCK,
  unavailable,
} from './serviceErrors.ts';
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
  const request = requestOf(call);
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

function requestOf(call: VaultCall): FailedRequest {
  return { service: 'vault', what: actionOf(call), address: call.vaultUrl };
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
  const known = (failure.status === 401 ? AUTHENTICATION : REFUSALS).find(({ when }) =>
    when(failure, said.text),
  );
  const fix = known ? known.fix(call, said.text) : unknownFix(call, failure);
  if (known?.passing) return unavailable(requestOf(call), failure, fix);
  return new RotatorError({
    code: known?.ofKey && ACTIONS[call.action].noun !== 'secret' ? 'key_unusable' : 'vault_forbidden',
    message: `${vaultUrl} does not let the rotator ${actionOf(call)} (${described(failure)}).`,
    fix,
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
  readonly fix: (call: VaultCall, text: string) => string;
  /** It ends without an operator. */
  readonly passing?: boolean;
  /** The key itself, or the certificate, cannot be used. */
  readonly ofKey?: boolean;
}

/** One of these codes, or words of the text. */
function says(codes: readonly string[], words?: RegExp): Refusal['when'] {
  return (failure, text) => failure.codes.some((code) => codes.includes(code)) || words?.test(text) === true;
}

/** A text about roles names resources, and deny assignments in any case. */
const LACKS_ROLE = /caller is not authorized to perform action/i;
/** Of a deny assignment that exists: the text of each refusal has the line, mostly with null. */
const DENIED =
  /DenyAssignmentId:[ \t]*["']?(?!null\b|none\b|0{8}-)[\w/{]|because of (?:the|a) deny assignment/i;

/** During a failover to another region, a vault is read-only: https://learn.microsoft.com/azure/reliability/reliability-key-vault */
const FAILOVER =
  /\bread[- ]only (?:mode|state)\b|\b(?:is|are|became) (?:now )?(?:in )?read[- ]only\b|(?<![-\w])fail(?:ed|ing)?[- ]?over(?![-\w])/i;
const FAILOVER_CODE = /ReadOnly|Fail(?:ed)?Over/i;

/**
 * The causes of a refusal. Those whose text holds names come first, because a name may contain the words of another one:
 * https://learn.microsoft.com/azure/key-vault/general/rest-error-codes and common-error-codes.
 */
const REFUSALS: readonly Refusal[] = [
  {
    when: (_, text) => DENIED.test(text),
    fix: ({ vaultUrl }) =>
      `Exclude the rotator's identity from the deny assignment on ${vaultUrl}, which no role overrides. Usually, a deployment stack or a managed application has made it.`,
  },
  { when: says(['ForbiddenByRbac'], LACKS_ROLE), fix: roleFix },
  {
    when: (_, text) => NEEDS_USER.test(text),
    fix: ({ action, vaultUrl }) =>
      `Give the rotator's identity an access policy of its own in ${vaultUrl}, with the ${ACTIONS[action].noun} permission ${ACTIONS[action].permission}: the one it has names an authorized application as well, and holds only for users of that application.`,
  },
  { when: (_, text) => LACKS_PERMISSION.test(text), fix: accessPolicyFix },
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
  { when: says(['AccessDenied']), fix: accessPolicyFix },
  {
    when: says(['ForbiddenByPolicy']),
    fix: ({ action, vaultUrl }) =>
      `Allow ${ACTIONS[action].permission} for ${ACTIONS[action].noun}s in the access policies of ${vaultUrl}, or exempt the vault from the Azure Policy that refuses the request.`,
  },
  {
    when: (_, text) => /\bassociated with a certificate\b/i.test(text),
    fix: ({ secret }) =>
      `Name another secret in the entry: ${secret} belongs to a certificate, which alone may change it.`,
  },
  {
    when: says(['KeyOperationForbidden'], /operation \w+ is not permitted on this key/i),
    fix: ({ secret }) =>
      `Add the operation sign to the permitted operations of the key ${secret} (key_ops), or create a version with it: no role helps.`,
    ofKey: true,
  },
  {
    when: says(['KeyNotYetValid', 'CertificateNotYetValid', 'SecretNotYetValid'], /\bnot yet valid\b/i),
    fix: ({ secret }) =>
      `Set an earlier activation date (nbf) at the latest version of ${secret}, or wait until that date.`,
    ofKey: true,
  },
  {
    when: says(
      ['KeyExpired', 'CertificateExpired', 'SecretExpired'],
      /\bnot allowed on an? (?:\w+ )?expired\b/i,
    ),
    fix: ({ secret }) =>
      `Create a new version of ${secret}: the latest one has expired. Or set a later expiration date at it.`,
    ofKey: true,
  },
  {
    when: says(['VaultDisabled'], /\bvault(?: ['"]?[\w-]{3,24}['"]?)? is disabled\b/i),
    fix: ({ vaultUrl }) =>
      `Look at the state of ${vaultUrl} in the Azure portal, and enable it again, if need be with a request to Microsoft support: the vault is disabled, so no role helps.`,
  },
  {
    when: ({ codes }, text) => codes.some((code) => FAILOVER_CODE.test(code)) || FAILOVER.test(text),
    fix: ({ vaultUrl }) =>
      `Wait until Azure has ended the failover of ${vaultUrl} to another region: until then, the vault is read-only. If it continues, check the resource health of the vault in the Azure portal.`,
    passing: true,
  },
];

/** The number of an authentication error of Key Vault. */
const AKV = /\bAKV\d{5}\b/;

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
    when: (_, text) => /AKV10000\b|missing a bearer/i.test(text),
    fix: () => 'Check whether a proxy between the rotator and the vault removes the header Authorization.',
  },
  { when: (_, text) => /AKV10032\b|invalid issuer/i.test(text), fix: tenantFix },
  { when: (_, text) => SAYS_CLOCK.test(text), fix: () => SYNCHRONIZE_CLOCK },
  {
    when: (_, text) => AKV.test(text),
    fix: (_, text) => `Look up ${AKV.exec(text)?.[0]} at ${REFERENCE}.`,
  },
];

/** Where the codes of Key Vault are explained. */
const REFERENCE = 'https://learn.microsoft.com/azure/key-vault/general/rest-error-codes';

/** What to do about a code that is not in the lists, or about no code. */
function unknownFix(call: VaultCall, failure: ServiceFailure): string {
  const known = lookUp(failure, REFERENCE);
  if (known !== undefined) return known;
  if (failure.status === 401) return tenantFix(call);
  if (call.action !== 'set') return roleFix(call);
  return `${roleFix(call)} If it has the role, exempt the vault from Azure Policy rules that require expiration dates or content types.`;
}

function tenantFix({ vaultUrl }: VaultCall): string {
  return `Sign in to the tenant of ${vaultUrl}: the vault does not accept tokens of another tenant or cloud.`;
}

function roleFix({ action, vaultUrl }: VaultCall): string {
  const { right, role } = ACTIONS[action];
  return `Grant the rotator's identity the data action ${right} on ${vaultUrl}, for example with the role ${role}.`;
}

/** A vault that uses access policies ignores role assignments. */
function accessPolicyFix({ action, vaultUrl }: VaultCall): string {
  const { noun, permission } = ACTIONS[action];
  return `Give the rotator's identity the ${noun} permission ${permission} in the access policies of ${vaultUrl}, or switch the vault to Azure role-based access control: a role has no effect there now.`;
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
  const check = `Check ${call.secret} in the vault: something may have deleted it, or may prevent changes to it.`;
  return refused(
    `${call.vaultUrl} refused to ${actionOf(call)} (${described(failure)}).`,
    failure.status === 404 ? check : (lookUp(failure, REFERENCE) ?? check),
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
