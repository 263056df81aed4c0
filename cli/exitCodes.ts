import type { ErrorCode } from '../lib/errors.ts';
import type { RotationResult } from '../lib/rotation/core/outcome.ts';

/** The exit codes of `rotator`; docs/cli.md has the same table. */
export const EXIT = {
  done: 0,
  /** Something failed; a later attempt may succeed. */
  failed: 1,
  /** The command line is invalid. */
  usage: 2,
  /** Settings, the connections file or the input are invalid. */
  invalid: 3,
  /** An operator must act. */
  operatorNeeded: 4,
  /** Not now: the same command may succeed in a few seconds. */
  notNow: 5,
  /** The sign-in was denied, timed out, or returned no refresh token. */
  notAuthorized: 6,
  /** The command would replace credentials, and needs `--replace`: of a connection that works, or of something else. */
  needsReplace: 7,
  /** Ctrl-C. */
  interrupted: 130,
} as const;

/** A code that is added without an exit code does not compile. */
const BY_CODE: Readonly<Record<ErrorCode, number>> = {
  command_invalid: EXIT.usage,
  configuration_invalid: EXIT.invalid,
  connection_invalid: EXIT.invalid,
  connection_unknown: EXIT.invalid,
  connection_paused: EXIT.invalid,
  input_unreadable: EXIT.invalid,
  connection_string_unreadable: EXIT.invalid,
  connection_string_unwritable: EXIT.invalid,
  refresh_token_too_large: EXIT.invalid,
  refresh_token_old: EXIT.invalid,
  parameter_invalid: EXIT.invalid,
  body_too_large: EXIT.invalid,
  reauthorization_required: EXIT.operatorNeeded,
  client_rejected: EXIT.operatorNeeded,
  misconfigured: EXIT.operatorNeeded,
  address_refused: EXIT.operatorNeeded,
  access_token_too_large: EXIT.operatorNeeded,
  connection_string_too_large: EXIT.operatorNeeded,
  owned_elsewhere: EXIT.operatorNeeded,
  connection_removed: EXIT.operatorNeeded,
  revocation_failed: EXIT.operatorNeeded,
  secret_missing: EXIT.operatorNeeded,
  secret_empty: EXIT.operatorNeeded,
  secret_malformed: EXIT.operatorNeeded,
  secret_disabled: EXIT.operatorNeeded,
  secret_not_allowed: EXIT.operatorNeeded,
  secret_soft_deleted: EXIT.operatorNeeded,
  key_missing: EXIT.operatorNeeded,
  key_disabled: EXIT.operatorNeeded,
  key_unusable: EXIT.operatorNeeded,
  vault_forbidden: EXIT.operatorNeeded,
  vault_policy: EXIT.operatorNeeded,
  vault_rejected: EXIT.operatorNeeded,
  storage_forbidden: EXIT.operatorNeeded,
  record_unreadable: EXIT.operatorNeeded,
  unauthenticated: EXIT.operatorNeeded,
  forbidden: EXIT.operatorNeeded,
  secret_not_managed: EXIT.needsReplace,
  connection_works: EXIT.needsReplace,
  in_progress: EXIT.notNow,
  outcome_unknown: EXIT.notNow,
  authorization_denied: EXIT.notAuthorized,
  authorization_expired: EXIT.notAuthorized,
  authorization_failed: EXIT.notAuthorized,
  refresh_token_not_issued: EXIT.notAuthorized,
  interrupted: EXIT.interrupted,
  identity_unavailable: EXIT.failed,
  vault_throttled: EXIT.failed,
  vault_unavailable: EXIT.failed,
  storage_unavailable: EXIT.failed,
  provider_unavailable: EXIT.failed,
  provider_throttled: EXIT.failed,
  response_unusable: EXIT.failed,
  rotator_unreachable: EXIT.failed,
  internal_error: EXIT.failed,
};

/** The exit code for an error. */
export function exitCodeOf(code: ErrorCode): number {
  return BY_CODE[code];
}

const BY_RESULT: Readonly<Record<RotationResult['result'], number>> = {
  rotated: EXIT.done,
  not_due: EXIT.done,
  cooldown: EXIT.notNow,
  in_progress: EXIT.notNow,
  awaiting_response: EXIT.notNow,
  provider_slow: EXIT.notNow,
  saving: EXIT.notNow,
  outcome_unknown: EXIT.notNow,
  draining: EXIT.notNow,
  blocked: EXIT.operatorNeeded,
  retrying: EXIT.failed,
};

/** The exit code for the result of one rotation. */
export function exitCodeOfResult({ result, problem }: Pick<RotationResult, 'result' | 'problem'>): number {
  return result === 'retrying' && problem ? exitCodeOf(problem.code) : BY_RESULT[result];
}
