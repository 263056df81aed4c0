import { CONNECTION_NAME } from './secretNames.ts';

/**
 * Every way in which this program tells a person that something is wrong. A code is stable: alarms,
 * dashboards and callers may rely on it. Retired codes are not used again.
 */
export const ERROR_CODES = [
  // configuration
  'configuration_invalid',
  'connection_invalid',
  'connection_unknown',
  'connection_paused',
  // vaults
  'secret_missing',
  'secret_empty',
  'secret_disabled',
  'secret_soft_deleted',
  'secret_not_managed',
  'vault_forbidden',
  'vault_throttled',
  'vault_unavailable',
  'vault_rejected',
  // records
  'storage_forbidden',
  'storage_unavailable',
  'record_unreadable',
  'owned_elsewhere',
  // grants
  'provider_unavailable',
  'provider_throttled',
  'grant_outcome_unknown',
  'reauthorization_required',
  'client_rejected',
  'misconfigured',
  'address_refused',
  'answer_unusable',
  'refresh_token_too_large',
  'access_token_too_large',
  // connection strings
  'connection_string_unreadable',
  'connection_string_unwritable',
  'connection_string_too_large',
  // the first refresh token
  'authorization_denied',
  'authorization_expired',
  'authorization_failed',
  'refresh_token_not_issued',
  // the command line
  'command_invalid',
  'in_progress',
  'input_unreadable',
  'rotator_unreachable',
  'interrupted',
  // everything else is a defect of ours
  'internal_error',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** What went wrong and what to do about it, in words that are safe to log, store and show. */
export interface Problem {
  readonly code: ErrorCode;
  /** What happened, one sentence. */
  readonly message: string;
  /** What to do, one sentence. */
  readonly fix: string;
}

/**
 * The only error that this program throws on purpose. It never has a `cause`: the errors of the SDKs hold
 * requests and answers, and with them secrets.
 */
export class RotatorError extends Error implements Problem {
  override readonly name = 'RotatorError';
  readonly code: ErrorCode;
  readonly fix: string;
  /** How long the service asked us to stay away, in milliseconds. */
  readonly retryAfterMs: number | undefined;

  constructor(problem: Problem, retryAfterMs?: number) {
    super(problem.message);
    this.code = problem.code;
    this.fix = problem.fix;
    this.retryAfterMs = retryAfterMs;
  }
}

/** A secret that a person must set before anything can go on. */
export class SecretUnusable extends RotatorError {
  readonly secret: string;
  /** The version that cannot be used; undefined where there is none. */
  readonly version: string | undefined;

  /** @param what names the secret's purpose: "the client secret" */
  constructor(what: string, secret: string, vaultUrl: string, version: string | undefined) {
    const orRecover = version === undefined ? ', or recover it where it was deleted' : '';
    super({
      code: version === undefined ? 'secret_missing' : 'secret_empty',
      message: `The secret ${secret} in ${vaultUrl} ${version === undefined ? 'does not exist' : 'is empty'}.`,
      fix: `Set ${secret} to ${what}${orRecover}; the change is picked up by itself.`,
    });
    this.secret = secret;
    this.version = version;
  }
}

/**
 * Nothing is configured under that name; one that cannot be a name is not repeated.
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

/** The problem that any thrown value stands for. Foreign errors give only their class name: their text may hold secrets. */
export function problemOf(thrown: unknown): Problem {
  if (thrown instanceof RotatorError) {
    return { code: thrown.code, message: thrown.message, fix: thrown.fix };
  }
  const kind = thrown instanceof Error ? thrown.constructor.name : typeof thrown;
  return {
    code: 'internal_error',
    message: `An unexpected ${kind} was thrown.`,
    fix: 'Report this with the log lines around it.',
  };
}
