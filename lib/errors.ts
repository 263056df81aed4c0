import { CONNECTION_NAME } from './secretNames.ts';

/** What a code means in general; the message of one problem names its connection, secret or vault. */
interface CodeDescription {
  /** One sentence. */
  readonly means: string;
  /** What to do, one sentence. */
  readonly fix: string;
}

/**
 * Every error code of this program; docs/reference.md is generated from this table. A code is stable: alarms, dashboards and
 * callers may rely on it. Retired codes are never used again.
 */
export const ERROR_CODES = {
  // configuration
  configuration_invalid: {
    means: 'The settings, the connections file or an address given to a command are not valid.',
    fix: 'Correct the setting that the message names.',
  },
  connection_invalid: {
    means: 'The entry of a connection is not valid. Other connections are not affected.',
    fix: 'Correct the field that the message names, and check the file with `rotator validate`.',
  },
  connection_unknown: {
    means: 'No connection has this name.',
    fix: 'Run `rotator status` for the list of names. Names are case-sensitive.',
  },
  connection_paused: {
    means: 'The entry of the connection has `"enabled": false`.',
    fix: 'Remove `"enabled": false` from the entry.',
  },
  connection_removed: {
    means:
      'The command `rotator remove` paused the connection. Its refresh token and its published secrets are not used any more.',
    fix: 'Run `rotator connect NAME` to sign in again, or delete the entry of the connection.',
  },
  // vaults
  secret_missing: {
    means: 'A secret that the connection needs does not exist.',
    fix: 'Set the secret, or recover it if it was deleted.',
  },
  secret_empty: {
    means: 'A secret that the connection needs is empty.',
    fix: 'Set the secret.',
  },
  secret_malformed: {
    means:
      'A secret holds a value that no provider accepts: in quotes, or with a character that is invisible or not printable ASCII.',
    fix: 'Set the secret to the value exactly as the provider shows it.',
  },
  secret_disabled: {
    means: 'The latest version of a secret is disabled.',
    fix: 'Enable the latest version, or set a new one.',
  },
  secret_soft_deleted: {
    means: 'A deleted secret that was not purged has this name, so Key Vault refuses to write it.',
    fix: 'Recover the deleted secret, or purge it.',
  },
  secret_not_managed: {
    means: 'A secret that the rotator does not manage has this name.',
    fix: 'Choose another name, or set `"overwrite": true` in the entry to overwrite the secret.',
  },
  secret_not_allowed: {
    means: 'The entry of a connection names a secret that the connection may not use.',
    fix: 'Set the tag `connections=NAME` at the secret, or add the secret to the app setting `ALLOWED_SECRETS`.',
  },
  key_missing: {
    means: 'A key or certificate that signs for the client does not exist in the vault.',
    fix: 'Create it in the vault, or correct `clientKey` in the entry.',
  },
  key_disabled: {
    means: 'The latest version of a key or certificate that signs for the client is disabled.',
    fix: 'Enable the latest version, or create a new one.',
  },
  key_unusable: {
    means:
      'A key or certificate cannot sign for the client: it is not a private key, is encrypted, has expired, is not valid yet, may not sign, or is of another type than the algorithm.',
    fix: 'Set the key or certificate that the message names to a private key that fits, or correct `clientKey` in the entry.',
  },
  identity_unavailable: {
    means:
      'The managed identity of the function app gave no token that proves the identity of the client to the provider.',
    fix: 'Assign the managed identity to the function app, and set `AZURE_CLIENT_ID` to its client id.',
  },
  vault_forbidden: {
    means:
      "The vault refuses the rotator's identity or network address, or the rotator could not authenticate.",
    fix: 'Assign the role Key Vault Secrets Officer to the identity, or open the firewall of the vault.',
  },
  vault_policy: {
    means:
      'An Azure Policy does not allow the vault to store the secret with its content type and expiration date. No role helps.',
    fix: 'Exempt the vault from the policy that the message names, or set `expirationHorizon` in the entry if the policy requires an expiration date.',
  },
  vault_throttled: {
    means: 'The vault is throttling requests.',
    fix: 'Wait. If it continues, find out what else uses the vault, or use more vaults.',
  },
  vault_unavailable: {
    means: 'The vault did not respond, or responded with a server error.',
    fix: 'Wait. If it continues, check the address of the vault, DNS and the status of Azure.',
  },
  vault_rejected: {
    means: 'The vault refused a request as not valid, or the address is not that of a Key Vault.',
    fix: 'Check the address of the vault and the secret that the message names.',
  },
  // records
  storage_forbidden: {
    means:
      "The storage account refuses the rotator's identity or network address, or the rotator could not authenticate.",
    fix: 'Assign the role Storage Blob Data Owner to the identity, or open the firewall of the account.',
  },
  storage_unavailable: {
    means: 'The storage account did not respond, or responded with a server error.',
    fix: 'Wait. If it continues, check the address of the account, DNS and the status of Azure.',
  },
  record_unreadable: {
    means: 'This version cannot read the record of the connection.',
    fix: 'Deploy the version that wrote the record again, or delete the blob: the rotator creates it again from the vault.',
  },
  owned_elsewhere: {
    means:
      'The refresh token was last used by another deployment of the rotator, or the record of the connection belongs to one with another credential vault.',
    fix: 'Stop the other deployment, then run `rotator takeover NAME`; or give this one its own vaults and storage account.',
  },
  // token requests
  provider_unavailable: {
    means: 'The token endpoint did not respond, or responded with a server error.',
    fix: 'Wait. If it continues, check `tokenUri`, DNS, firewall and certificates.',
  },
  provider_throttled: {
    means: 'The token endpoint is throttling requests.',
    fix: 'Wait. The rotator tries again automatically.',
  },
  outcome_unknown: {
    means:
      'The response to a token request was lost, and the rotator does not know whether the provider executed the request.',
    fix: 'Wait. The rotator repeats the request as soon as it is safe.',
  },
  reauthorization_required: {
    means: 'The provider no longer accepts the refresh token.',
    fix: 'Run `rotator connect NAME`, or sign in again and set `NAME-refresh-token`.',
  },
  client_rejected: {
    means: 'The provider does not accept the client id or the client secret.',
    fix: 'Set `NAME-client-secret` to a valid client secret, or correct the client id.',
  },
  misconfigured: {
    means: 'The provider refuses the token request for another reason, for example its scope.',
    fix: 'Correct the field of the entry, or the setting at the provider, that the message names.',
  },
  address_refused: {
    means:
      'The name of the token endpoint resolves to an address of this machine, of a private network or of a metadata service.',
    fix: 'Correct the DNS records, or set `"allowPrivateNetwork": true` if the endpoint is in your own network.',
  },
  revocation_failed: {
    means:
      'The provider did not revoke the refresh token of a removed connection, or has no endpoint for it.',
    fix: 'Run `rotator remove NAME --revoke` again, or revoke the access of the client at the provider.',
  },
  response_unusable: {
    means: 'The token endpoint sent a response that is not a valid token response.',
    fix: 'Check that `tokenUri` is the token endpoint of an OAuth 2.0 provider that issues Bearer tokens. If its responses have another shape, describe them in `response` of the entry.',
  },
  refresh_token_too_large: {
    means:
      'A refresh token has more than 25 KB, which no vault can store. If the provider has just issued it, it is lost.',
    fix: 'Configure the provider to issue smaller refresh tokens, then run `rotator connect NAME`.',
  },
  access_token_too_large: {
    means: 'The access token has more than 25 KB, which no vault can store.',
    fix: 'Request fewer scopes or claims.',
  },
  // connection strings
  connection_string_unreadable: {
    means: 'The text is not a valid connection string. The message names the character.',
    fix: 'Correct the text at that character.',
  },
  connection_string_unwritable: {
    means: 'A value cannot be written in the syntax of the connection string.',
    fix: 'Use another syntax, or another value.',
  },
  connection_string_too_large: {
    means: 'The connection string with its access token has more than 25 KB, which no vault can store.',
    fix: 'Shorten `publish.connectionString`, or request fewer scopes or claims.',
  },
  // the first refresh token
  authorization_denied: {
    means: 'The user or the provider denied the sign-in.',
    fix: 'Run the command again and allow access.',
  },
  authorization_expired: {
    means: 'The user did not finish the sign-in in time.',
    fix: 'Run the command again and finish the sign-in.',
  },
  authorization_failed: {
    means: 'The sign-in failed at the authorization server, or the server could not be reached.',
    fix: 'Correct the option or the setting at the provider that the message names.',
  },
  refresh_token_not_issued: {
    means: 'The sign-in succeeded, but the provider issued no refresh token.',
    fix: 'Request the scope `offline_access`, and allow refresh tokens for the client at the provider.',
  },
  // the HTTP functions
  unauthenticated: {
    means: 'The caller of an HTTP function has no Entra ID identity.',
    fix: 'Get a token for the app registration of the rotator and send it as `Authorization: Bearer`.',
  },
  forbidden: {
    means:
      'The caller of an HTTP function does not have the app role in `REQUIRED_APP_ROLE`, or is a web page of another site.',
    fix: 'Assign the app role to the caller, then get a new token. Call the functions from a program, not from a web page.',
  },
  parameter_invalid: {
    means: 'The address of an HTTP function has a parameter that is not valid.',
    fix: 'Remove or correct the parameter that the message names.',
  },
  body_too_large: {
    means: 'The request to an HTTP function has a body of more than 4 KB.',
    fix: 'Send no body.',
  },
  // the command line
  command_invalid: {
    means: 'The command line is not valid.',
    fix: 'Run the command with `--help`.',
  },
  in_progress: {
    means: 'Another rotation of the connection, or another command, is running.',
    fix: 'Try again in a moment.',
  },
  input_unreadable: {
    means: 'A file or text given to a command cannot be read, or is not valid.',
    fix: 'Correct the input that the message describes.',
  },
  rotator_unreachable: {
    means: 'The function app at the address after `--via` did not respond.',
    fix: 'Check the address and the network, then run `rotator status`.',
  },
  refresh_token_old: {
    means:
      'The refresh token given to a command is an older version of the secret. The provider may end all tokens of the sign-in if it is sent.',
    fix: 'Run `rotator connect NAME` to sign in again.',
  },
  connection_works: {
    means: 'The connection works, and the command would replace its credentials.',
    fix: 'Add `--replace` if the new credentials are meant to replace them.',
  },
  interrupted: {
    means: 'Ctrl-C ended the command.',
    fix: 'Run the command again; nothing was left half-written.',
  },
  // everything else is a defect of the rotator
  internal_error: {
    means: 'An unexpected error occurred, usually a defect of the rotator.',
    fix: 'Report the log lines around the error.',
  },
} as const satisfies Readonly<Record<string, CodeDescription>>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** All codes, in the order of the table. */
export const errorCodes = Object.keys(ERROR_CODES) as readonly ErrorCode[];

/** What went wrong and what to do about it, in words that are safe to log, store and show. */
export interface Problem {
  readonly code: ErrorCode;
  /** What happened, one sentence. */
  readonly message: string;
  /** What to do, one sentence. */
  readonly fix: string;
}

/**
 * The only error that this program throws on purpose. It never has a `cause`: the errors of the SDKs contain
 * requests and responses, and with them secrets.
 */
export class RotatorError extends Error implements Problem {
  override readonly name = 'RotatorError';
  readonly code: ErrorCode;
  readonly fix: string;
  /** How long the service asked the rotator to wait, in milliseconds. */
  readonly retryAfterMs: number | undefined;
  /** Secrets of the credential vault that an operator must change; undefined if the problem may end without that. */
  readonly clearedBy: readonly SecretInVersion[] | undefined;
  /** Since when the problem goes on, in milliseconds since the epoch; undefined if that is unknown. */
  readonly since: number | undefined;

  constructor(
    problem: Problem,
    more: {
      readonly retryAfterMs?: number | undefined;
      readonly clearedBy?: readonly SecretInVersion[] | undefined;
      readonly since?: number | undefined;
    } = {},
  ) {
    super(problem.message);
    this.code = problem.code;
    this.fix = problem.fix;
    this.retryAfterMs = more.retryAfterMs;
    this.clearedBy = more.clearedBy;
    this.since = more.since;
  }
}

/** A secret as it was when something failed. */
export interface SecretInVersion {
  readonly secret: string;
  /** If it is not a secret but a key or a certificate. */
  readonly kind?: 'key' | 'certificate' | undefined;
  /** null if it did not exist. */
  readonly version: string | null;
}

/**
 * No connection has that name. The message does not repeat a text that is not a valid name.
 * @param otherCase the name of a connection that differs only in case
 */
export function unknownConnection(name: string, otherCase?: string): RotatorError {
  const shown = CONNECTION_NAME.test(name) ? ` named ${name}` : ' of that name';
  return new RotatorError({
    code: 'connection_unknown',
    message: `There is no connection${shown}.`,
    fix:
      otherCase === undefined
        ? 'Use one of the names that rotator status and GET /api/connections list; they are case-sensitive.'
        : `Write ${otherCase}: names are case-sensitive.`,
  });
}

/** The problem for any thrown value. Of foreign errors only the class name is used: their text may contain secrets. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof RotatorError) {
    return { code: thrown.code, message: thrown.message, fix: thrown.fix };
  }
  const kind = thrown instanceof Error ? thrown.constructor.name : typeof thrown;
  return {
    code: 'internal_error',
    message: `An unexpected ${kind} was thrown.`,
    fix: 'Report the log lines around the error.',
  };
}

/** How long the service behind an error asked the rotator to wait, in milliseconds; 0 if it did not. */
export function retryAfterOf(thrown: unknown): number {
  return thrown instanceof RotatorError ? (thrown.retryAfterMs ?? 0) : 0;
}
