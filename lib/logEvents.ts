/** The type of a field; with a question mark it may be missing. */
type FieldKind = 'string' | 'number' | 'boolean' | 'string?' | 'number?';

interface EventDescription {
  /** What happened, in one or two sentences. */
  readonly means: string;
  readonly fields: Readonly<Record<string, FieldKind>>;
}

const CONNECTION = { connection: 'string' } as const;
const VERSION = { ...CONNECTION, version: 'string' } as const;
const PROBLEM = { code: 'string', message: 'string', fix: 'string' } as const;

/**
 * Every log event with its fields: the type of `Log`, the columns of `infra/queries/rotatorEvents.kql` and the table in
 * `docs/reference.md` are generated from it. The names are stable: alarms and dashboards rely on them.
 */
export const LOG_EVENTS = {
  sweep_finished: {
    means:
      'A sweep ended. The fields from rotated to draining count the results of its rotations; the last three say why the connections can no longer be read.',
    fields: {
      connections: 'number',
      invalid: 'number',
      due: 'number',
      postponed: 'number',
      /** Connections whose access token is past 90 % of its lifetime, or that never had one and keep failing; and the first few of them. */
      overdue: 'number',
      overdueConnections: 'string?',
      durationMs: 'number',
      rotated: 'number?',
      not_due: 'number?',
      cooldown: 'number?',
      in_progress: 'number?',
      awaiting_response: 'number?',
      provider_slow: 'number?',
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
  sweep_started_by_probe: {
    means:
      'No sweep had run for `durationMs` when the health endpoint was called, so that started one. The timer may have stopped.',
    fields: { durationMs: 'number' },
  },
  rotation_finished: {
    means: 'The rotator finished with one connection; if there is a problem, the fields name it and its fix.',
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
    means: 'A defect of the rotator ended a rotation; the other rotations continued.',
    fields: { ...CONNECTION, ...PROBLEM },
  },
  record_not_written: {
    means: 'The record of a connection could not be leased, read or written.',
    fields: { ...CONNECTION, ...PROBLEM },
  },
  lease_handed_over: {
    means:
      'The provider has not responded yet. The next sweep repeats the token request within its grace period; what still arrives is saved.',
    fields: CONNECTION,
  },
  lease_lost: { means: 'The lease was lost to another process.', fields: CONNECTION },
  refresh_token_copied: {
    means: 'The rotator copied a refresh token that an operator had set, to add its own tags.',
    fields: VERSION,
  },
  token_response_received: {
    means: 'A token endpoint responded, or the rotator stopped waiting for it.',
    fields: {
      ...CONNECTION,
      outcome: 'string',
      refreshTokenReceived: 'boolean',
      requestMs: 'number',
      code: 'string?',
      message: 'string?',
    },
  },
  provider_slow: {
    means:
      'A host of token endpoints responds slowly (how: slow), or fails for several connections (how: fails). Until it responds well again, one connection at a time tries it, and the others wait.',
    fields: { host: 'string', how: 'string' },
  },
  provider_responds_well: {
    means: 'A slow or failing host responds well again.',
    fields: { host: 'string' },
  },
  token_response_malformed: {
    means:
      'The response of a token endpoint breaks the rules of HTTP or of JSON, or ended early. The rotator read it nevertheless; the field why says what is wrong. Tell the provider, or look at the proxies on the way.',
    fields: { ...CONNECTION, why: 'string' },
  },
  token_request_repeated: {
    means: 'The rotator repeats a token request because the outcome of the first one is unknown.',
    fields: { ...CONNECTION, code: 'string?' },
  },
  client_secret_rejected: {
    means: 'The provider refuses this version of the client secret or key.',
    fields: VERSION,
  },
  refresh_token_saved: {
    means: 'The vault stored a new refresh token.',
    fields: { ...VERSION, generation: 'number', attempts: 'number', saveMs: 'number' },
  },
  refresh_token_save_waiting: {
    means: 'The vault did not store a new refresh token; the process tries again for as long as it lives.',
    fields: { ...CONNECTION, ...PROBLEM, attempts: 'number' },
  },
  access_token_published: {
    means:
      'Consumers can read a new access token. If expiresInIsDefault is true, the provider named no lifetime: the expiration date is a default.',
    fields: { ...VERSION, generation: 'number', expiresInIsDefault: 'boolean' },
  },
  published_token_changed: {
    means:
      'The published access token is not the one that the record names: something else changed or disabled the secret, or the record. The rotator publishes a new token.',
    fields: { ...CONNECTION, secret: 'string', expires: 'string?' },
  },
  access_token_short_lived: {
    means:
      'The access token lives for less than 90 s. The rotator renews it once a minute all the same, so consumers may find it expired. Have the provider issue access tokens that live longer.',
    fields: { ...CONNECTION, lifetimeMs: 'number' },
  },
  schedule_too_rare: {
    means:
      'The longest time between two sweeps is longer than a token lives after its renewal time, or than the grace period allows.',
    fields: { ...CONNECTION, message: 'string', fix: 'string' },
  },
  connection_string_published: {
    means: 'Consumers can read a connection string with the new token.',
    fields: { ...VERSION, generation: 'number', expiresInIsDefault: 'boolean' },
  },
  announcement_not_cleared: {
    means: 'The rotator could not remove the tag that announces a finished token request.',
    fields: VERSION,
  },
  refresh_token_reconciled: {
    means: 'The rotator reconciled the vault: it found the version of the refresh token that counts.',
    fields: { ...VERSION, finding: 'string' },
  },
  false_origin_ignored: {
    means:
      'The tags of a version of the refresh token name a parent that is newer than the version. They were changed by hand or forged, and the rotator ignores them.',
    fields: VERSION,
  },
  late_write_undone: {
    means: 'The rotator undid a write that came too late: the token that counts is the latest version again.',
    fields: { ...VERSION, late: 'string' },
  },
  superseded_version_disabled: {
    means:
      'The rotator disabled a refresh token older than the one in use and its parent, or a connection string with one.',
    fields: { ...VERSION, secret: 'string' },
  },
  superseded_version_disable_failed: {
    means:
      'The rotator could not disable a refresh token older than the one in use and its parent, or a connection string with one.',
    fields: { ...VERSION, secret: 'string', code: 'string', message: 'string' },
  },
  credential_expiring: {
    means: 'A client secret or a refresh token expires within 14 days, or has expired (negative days).',
    fields: { ...CONNECTION, secret: 'string', expires: 'string', days: 'number' },
  },
  connection_removed: {
    means:
      'An operator removed the connection: it is paused, and its refresh token and published secrets are disabled. The fields say whether the provider revoked the refresh token, and how many versions were disabled.',
    fields: { ...CONNECTION, revoked: 'boolean', disabled: 'number' },
  },
  configuration_loaded: {
    means:
      'The rotator read the connections. The field changed counts the changes since the last time; unreadableSince says since when they could not be read before.',
    fields: {
      connections: 'number',
      valid: 'number',
      paused: 'number',
      invalid: 'number',
      changed: 'number?',
      unreadableSince: 'string?',
    },
  },
  connection_changed: {
    means:
      'The connections file has a new or changed entry, or an entry less. The field change says added, changed, paused, resumed, valid_again or removed. One file has at most 50 of these lines.',
    fields: { ...CONNECTION, change: 'string' },
  },
  configuration_invalid: {
    means: 'The rotator can no longer read the connections and keeps using the last valid ones.',
    fields: PROBLEM,
  },
  connection_invalid: {
    means: 'The entry of a connection is not valid.',
    fields: { ...CONNECTION, ...PROBLEM },
  },
  setting_ignored: { means: 'A setting has no effect.', fields: { message: 'string' } },
  settings_invalid: { means: 'The settings are not valid, so nothing runs.', fields: PROBLEM },
} as const satisfies Readonly<Record<string, EventDescription>>;
