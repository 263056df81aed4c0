/** What a field holds; with a question mark it may be missing. */
type FieldKind = 'string' | 'number' | 'boolean' | 'string?' | 'number?';

interface EventDescription {
  /** What has happened, one sentence. */
  readonly means: string;
  readonly fields: Readonly<Record<string, FieldKind>>;
}

const CONNECTION = { connection: 'string' } as const;
const VERSION = { ...CONNECTION, version: 'string' } as const;
const PROBLEM = { code: 'string', message: 'string', fix: 'string' } as const;

/**
 * Every event that is logged, with its fields: the type of `Log`, the columns of `infra/queries/rotatorEvents.kql` and the table
 * in `docs/reference.md` are made from it. The names are stable: alarms and dashboards are built on them.
 */
export const LOG_EVENTS = {
  sweep_finished: {
    means:
      'A sweep has ended; the fields from rotated to draining count how its rotations ended, the last three tell why the connections cannot be read any more.',
    fields: {
      connections: 'number',
      invalid: 'number',
      due: 'number',
      postponed: 'number',
      /** Connections whose access token is past 90 % of its life, or that never had one and keep failing; and the first few of them. */
      overdue: 'number',
      overdueConnections: 'string?',
      durationMs: 'number',
      rotated: 'number?',
      not_due: 'number?',
      cooldown: 'number?',
      in_progress: 'number?',
      saving: 'number?',
      outcome_unknown: 'number?',
      blocked: 'number?',
      retrying: 'number?',
      draining: 'number?',
      code: 'string?',
      message: 'string?',
      fix: 'string?',
    },
  },
  sweep_failed: { means: 'A sweep could not run at all.', fields: PROBLEM },
  rotation_finished: {
    means: 'One connection was looked at; where it is not well, the problem and what to do.',
    fields: {
      ...CONNECTION,
      result: 'string',
      reason: 'string?',
      generation: 'number?',
      expires: 'string?',
      totalMs: 'number',
      code: 'string?',
      message: 'string?',
      fix: 'string?',
    },
  },
  rotation_crashed: {
    means: 'A defect of ours ended a rotation; the others went on.',
    fields: { ...CONNECTION, ...PROBLEM },
  },
  record_not_written: {
    means: 'The record of a connection could not be leased, read or written.',
    fields: { ...CONNECTION, ...PROBLEM },
  },
  lease_lost: { means: 'Somebody else has the lease by now.', fields: CONNECTION },
  refresh_token_copied: {
    means: "A person's refresh token was written once more with our tags.",
    fields: VERSION,
  },
  token_response_received: {
    means: 'A token endpoint has answered, or was given up.',
    fields: {
      ...CONNECTION,
      outcome: 'string',
      refreshTokenReceived: 'boolean',
      requestMs: 'number',
      code: 'string?',
      message: 'string?',
    },
  },
  token_request_repeated: {
    means: 'A refresh token is sent once more after an unclear answer.',
    fields: { ...CONNECTION, code: 'string?' },
  },
  client_secret_rejected: {
    means: 'The provider refuses this version of the client secret.',
    fields: VERSION,
  },
  refresh_token_saved: {
    means: 'The vault has taken a new refresh token.',
    fields: { ...VERSION, generation: 'number', attempts: 'number', saveMs: 'number' },
  },
  refresh_token_save_waiting: {
    means: 'The vault did not take a new refresh token; it is tried again for as long as the process lives.',
    fields: { ...CONNECTION, ...PROBLEM, attempts: 'number' },
  },
  access_token_published: {
    means: 'Consumers can read a new access token.',
    fields: { ...VERSION, generation: 'number' },
  },
  connection_string_published: {
    means: 'Consumers can read a connection string with the new token.',
    fields: { ...VERSION, generation: 'number' },
  },
  announcement_not_cleared: {
    means: 'The tag that announces a finished token request could not be removed.',
    fields: VERSION,
  },
  refresh_token_reconciled: {
    means: 'Healing has found the version of the refresh token that counts.',
    fields: { ...VERSION, finding: 'string' },
  },
  late_write_undone: {
    means: 'A write that came too late was undone: the token that counts is the latest version again.',
    fields: { ...VERSION, late: 'string' },
  },
  superseded_version_disabled: {
    means:
      'A refresh token older than the one in use and its parent, or a connection string with one, can be read no more.',
    fields: { ...VERSION, secret: 'string' },
  },
  superseded_version_disable_failed: {
    means:
      'A refresh token older than the one in use and its parent, or a connection string with one, could not be disabled.',
    fields: { ...VERSION, secret: 'string', code: 'string', message: 'string' },
  },
  credential_expiring: {
    means: 'A client secret or a refresh token expires within 14 days, or has expired (negative days).',
    fields: { ...CONNECTION, secret: 'string', expires: 'string', days: 'number' },
  },
  configuration_loaded: {
    means: 'The connections were read.',
    fields: { connections: 'number', valid: 'number', paused: 'number', invalid: 'number' },
  },
  configuration_invalid: {
    means: 'The connections cannot be read any more; the last good ones stay in force.',
    fields: PROBLEM,
  },
  connection_invalid: {
    means: 'The entry of a connection cannot be used.',
    fields: { ...CONNECTION, ...PROBLEM },
  },
  setting_ignored: { means: 'A setting has no effect.', fields: { message: 'string' } },
  settings_invalid: { means: 'The settings cannot be used: nothing runs.', fields: PROBLEM },
} as const satisfies Readonly<Record<string, EventDescription>>;
