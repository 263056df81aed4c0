import type { Problem } from '../../errors.ts';
import type { Connection, InvalidConnection } from './connection.ts';
import { otherVault, writtenElsewhere } from './ownership.ts';
import { type KnownSummaries, type Outcome, outcomesIn, type RecordSummary } from './record.ts';
import { DAY_MS, isShortLived, renewalTime } from './times.ts';

/** The state of a connection in one word. Status and `rotator status` show it; docs/reference.md is written from this table. */
export const CONNECTION_STATES = {
  fresh: 'The published access token is valid and the last rotation succeeded.',
  new: 'The connection has never been rotated.',
  awaiting_response:
    'A token request was sent, and its response is awaited. The process that sent it saves what arrives.',
  expired: 'The published access token has expired and no new one was published yet.',
  retrying: 'The last rotation failed. The rotator tries again automatically.',
  blocked: 'An operator must act. The failure says what to do.',
  outcome_unknown:
    'The response to the last token request was lost, and the rotator does not know yet whether the provider executed the request.',
  paused: 'The entry of the connection has `"enabled": false`.',
  invalid: 'The entry of the connection is not valid. The failure names the field.',
} as const;

type ConnectionState = keyof typeof CONNECTION_STATES;

/** The public status of a connection: a condition, as in Kubernetes, with times in ISO 8601. */
export interface ConnectionStatus {
  readonly name: string;
  readonly provider?: string;
  readonly state: ConnectionState;
  /** Why it is in that state, as an error code; missing while all is well. */
  readonly reason?: string;
  /** What happened and what to do. */
  readonly message?: string;
  readonly fix?: string;
  /** When this row of failures began. */
  readonly since?: string;
  readonly failuresInARow?: number;
  readonly generation?: number;
  readonly accessTokenExpires?: string;
  /** true if that is a default: the token response named no expiry. */
  readonly accessTokenExpiryIsDefault?: boolean;
  readonly lastRotation?: string;
  /** When the rotator first saw the refresh token of the last sign-in. */
  readonly signedIn?: string;
  /** When the refresh token expires, if the provider says it; rotations may postpone it. */
  readonly refreshTokenExpires?: string;
  readonly nextAttempt?: string;
  /** The latest outcomes, oldest first. */
  readonly history?: readonly (Omit<Outcome, 'at'> & { readonly at: string })[];
  /** What threatens the connection although it works; what to do about it. */
  readonly warning?: string;
}

type Shown = keyof ConnectionStatus;

/** How each field of a summary is shown. */
const SHOWN: {
  readonly [F in keyof Required<RecordSummary>]: { as: Shown; isTime?: true } | 'in its own way';
} = {
  phase: 'in its own way',
  awaitedUntil: 'in its own way',
  credentialVault: 'in its own way',
  tokenVault: 'in its own way',
  history: 'in its own way',
  blocked: 'in its own way',
  failureCode: { as: 'reason' },
  failureMessage: { as: 'message' },
  failureFix: { as: 'fix' },
  failingSince: { as: 'since', isTime: true },
  failureCount: { as: 'failuresInARow' },
  generation: { as: 'generation' },
  expiresAt: { as: 'accessTokenExpires', isTime: true },
  expiresInIsDefault: { as: 'accessTokenExpiryIsDefault' },
  rotatedAt: { as: 'lastRotation', isTime: true },
  familyStartedAt: { as: 'signedIn', isTime: true },
  refreshTokenExpiresAt: { as: 'refreshTokenExpires', isTime: true },
  nextAttemptAt: { as: 'nextAttempt', isTime: true },
};

/** The status of one connection, from what the list of records tells. */
export function statusOf(
  connection: Connection,
  summary: RecordSummary | undefined,
  now: number,
): ConnectionStatus {
  const { name, provider, enabled } = connection;
  const elsewhere = enabled ? problemOfOwner(connection, summary) : undefined;
  if (elsewhere) return { name, provider, state: 'blocked', reason: elsewhere.code, ...saying(elsewhere) };
  const state = enabled ? stateOf(summary, now) : 'paused';
  return { name, provider, state, ...fieldsOf(summary, enabled) };
}

/** @param isRotated whether there is a next attempt to wait for: not for a connection that is paused */
function fieldsOf(summary: RecordSummary | undefined, isRotated: boolean): Partial<ConnectionStatus> {
  const isAwaited = isRotated && summary?.failureCode !== 'connection_removed';
  const fields = Object.entries(SHOWN).flatMap(([field, shown]) => {
    const value = summary?.[field as keyof RecordSummary];
    const isHidden = field === 'nextAttemptAt' && !(isAwaited && Number(value) > 0);
    if (shown === 'in its own way' || value === undefined || isHidden) return [];
    return [[shown.as, shown.isTime ? new Date(Number(value)).toISOString() : value]];
  });
  const history = outcomesIn(summary ?? {}).map(({ at, ...outcome }) => ({
    at: new Date(at).toISOString(),
    ...outcome,
  }));
  return { ...Object.fromEntries(fields), ...(history.length > 0 && { history }) };
}

/** The status of a connection of which only the record is known, because the configuration cannot be read: it is not rotated. */
export function recordedStatusOf(name: string, summary: RecordSummary, now: number): ConnectionStatus {
  return { name, state: stateOf(summary, now), ...fieldsOf(summary, false) };
}

function problemOfOwner(
  connection: Connection,
  { credentialVault: credential, tokenVault: token = '?' }: Partial<RecordSummary> = {},
): Problem | undefined {
  return writtenElsewhere(connection, credential === undefined ? {} : { vaults: { credential, token } });
}

function saying({ message, fix }: Problem): Pick<ConnectionStatus, 'message' | 'fix'> {
  return { message, fix };
}

export function invalidStatusOf({ name, problem }: InvalidConnection): ConnectionStatus {
  return { name, state: 'invalid', reason: problem.code, ...saying(problem) };
}

function stateOf(summary: RecordSummary | undefined, now: number): ConnectionState {
  if (!summary) return 'new';
  const { phase, awaitedUntil = 0, failureCode, blocked, rotatedAt, expiresAt } = summary;
  if (blocked) return 'blocked';
  if (phase === 'requesting') return now < awaitedUntil ? 'awaiting_response' : 'outcome_unknown';
  if (expiresAt !== undefined && expiresAt <= now) return 'expired';
  if (failureCode) return 'retrying';
  return rotatedAt === undefined ? 'new' : 'fresh';
}

/** Warnings start this long before a credential expires: getting a new one may take that long. */
export const EXPIRY_NOTICE_MS = 14 * DAY_MS;
/** A renewal is late when this part of an access token's life is over. */
const LATE = 0.9;
/** If no access token was ever published, failing for this long counts as late: about nine attempts. */
const FIRST_TOKEN_MS = 30 * 60_000;

/** A credential that expires and that only an operator can replace. */
export interface ExpiringCredential {
  /** The name of its secret in the credential vault. */
  readonly secret: string;
  /** Milliseconds since the epoch; undefined if unknown. */
  readonly expiresAt: number | undefined;
}

/** Those that expire within 14 days of `now` (milliseconds), or have expired, as they are logged: whole days, rounded down. */
export function expiringSoon(credentials: readonly ExpiringCredential[], now: number) {
  return credentials.flatMap(({ secret, expiresAt }) => {
    if (expiresAt === undefined || expiresAt - now > EXPIRY_NOTICE_MS) return [];
    return {
      secret,
      expires: new Date(expiresAt).toISOString(),
      days: Math.floor((expiresAt - now) / DAY_MS),
    };
  });
}

/**
 * Names of the connections whose published access token is past 90 % of its life and was not renewed. If the entry asks for a
 * renewal that late, the limit is halfway between that moment and the expiry. A token that expires before its renewal is late after
 * two missed sweeps. A connection without an access token is late once it has failed for half an hour. Blocked connections are
 * reported separately.
 */
export function overdueConnections(
  connections: readonly Connection[],
  { now, summaries }: { now: number; summaries: KnownSummaries },
  scheduleIntervalMs: number,
): string[] {
  return connections
    .filter((connection) => isOverdue(connection, summaries.get(connection.name), now, scheduleIntervalMs))
    .map(({ name }) => name);
}

function isOverdue(
  connection: Connection,
  summary: RecordSummary | undefined,
  now: number,
  scheduleIntervalMs: number,
): boolean {
  if (otherVault(connection, summary?.credentialVault) !== undefined) return false;
  if (summary?.expiresAt === undefined) return failsForLong(summary, now);
  const { refreshTokenExpiresAt = Number.POSITIVE_INFINITY } = summary;
  const expiresAt = Math.min(summary.expiresAt, refreshTokenExpiresAt);
  // A record that was made anew after a loss does not know when the token was issued.
  const issuedAt = summary.rotatedAt ?? expiresAt - connection.behavior.defaultExpiresInMs;
  const times = { issuedAt, expiresAt, refreshTokenExpiresAt };
  const due = renewalTime(times, connection, scheduleIntervalMs);
  const missed = isShortLived(times, scheduleIntervalMs) ? due + 2 * scheduleIntervalMs : 0;
  return now > Math.max(issuedAt + LATE * (expiresAt - issuedAt), (due + expiresAt) / 2, missed);
}

function failsForLong(summary: RecordSummary | undefined, now: number): boolean {
  const { failingSince, blocked } = summary ?? {};
  return failingSince !== undefined && !blocked && now - failingSince > FIRST_TOKEN_MS;
}
