import type { Settings } from '../config/settings.ts';
import { unknownConnection } from '../errors.ts';
import type { Probe } from '../oauth/probeTokenEndpoint.ts';
import {
  CAREFUL_BEHAVIOR,
  type Connection,
  type Connections,
  findConnection,
} from '../rotation/core/connection.ts';
import { type ConnectionRecord, summaryOf } from '../rotation/core/record.ts';
import { graceWarnings, leftWarnings, SCHEDULE_FIX } from '../rotation/core/scheduleFit.ts';
import { EXPIRY_NOTICE_MS } from '../rotation/core/status.ts';
import { isReusable, LEASE_MS } from '../rotation/core/times.ts';
import type { Ports } from '../rotation/ports.ts';
import { alarmChecks } from './alarms.ts';
import { type Check, failed, ok, thrownCheck, warning } from './check.ts';
import { limitChecks } from './limits.ts';
import { storageChecks, vaultChecks } from './rights.ts';
import { secretChecks } from './secrets.ts';

/** What is examined, and the tools that the protocol itself does not need. */
export interface Patient {
  readonly settings: Settings;
  readonly ports: Ports;
  /** Gets a token for the vaults and throws it away. Returns who signed in, for people. @throws RotatorError */
  readonly signIn: () => Promise<string>;
  readonly probe: (connection: Connection) => Promise<Probe>;
  /** This machine's clock, in milliseconds. */
  readonly now: () => number;
}

/**
 * Checks everything that can be checked without spending a token or writing anything.
 * @param name the only connection to check; undefined checks all
 * @throws RotatorError `connection_unknown`
 */
export async function examine(patient: Patient, name: string | undefined): Promise<Check[]> {
  const { settings, ports } = patient;
  const checks: Check[] = [settingsCheck(settings), ...alarmChecks(settings), await signInCheck(patient)];
  const connections = await ports.connections().catch((thrown: unknown) => ({ thrown }));
  if ('thrown' in connections) return [...checks, thrownCheck('connections', connections.thrown)];
  const { valid, invalid } = chosen(connections, name);
  if (valid.length + invalid.length === 0) checks.push(NO_CONNECTIONS);
  checks.push(...invalid.map(({ name, problem }) => ({ ...failed('entry', problem), connection: name })));
  for (const url of vaultsOf(settings, valid)) checks.push(...(await vaultChecks(ports.vault(url), url)));
  checks.push(...(await storageChecks(ports.records, patient.now)));
  const endpoints = new Map(valid.map((each) => [`${each.tokenUri} ${each.allowPrivateNetwork}`, each]));
  for (const connection of endpoints.values()) checks.push(await endpointCheck(connection, patient));
  for (const connection of valid) checks.push(...(await connectionChecks(connection, patient)));
  // A single connection is far from every limit.
  if (name === undefined && valid.length > 0) checks.push(...(await allLimitChecks(valid, patient)));
  return checks;
}

const NO_CONNECTIONS = warning(
  'connections',
  'There are no connections: the rotator has nothing to do.',
  'Run rotator connect NAME, and add the entry that it prints to the connections file.',
);

function settingsCheck({ warnings, schedule }: Settings): Check {
  const [first] = warnings;
  if (first === undefined) return ok('settings', `The settings are valid; the schedule is ${schedule}.`);
  return warning('settings', warnings.join(' '), 'Remove the settings that have no effect.');
}

/** Records that cannot be read have a failed check already. */
async function allLimitChecks(valid: readonly Connection[], { settings, ports }: Patient): Promise<Check[]> {
  const list = await ports.records.list().catch(() => undefined);
  return list ? limitChecks(valid, list.summaries, settings) : [];
}

async function signInCheck({ signIn }: Patient): Promise<Check> {
  try {
    const way = await signIn();
    return ok(
      'sign-in',
      `Authentication works with ${way}. The permissions below are those of this identity.`,
    );
  } catch (thrown) {
    return thrownCheck('sign-in', thrown);
  }
}

function chosen(connections: Connections, name: string | undefined): Connections {
  if (name === undefined) return connections;
  const found = findConnection(connections, name);
  if (found.kind === 'unknown') throw unknownConnection(name, found.otherCase);
  return found.kind === 'valid'
    ? { valid: [found.connection], invalid: [] }
    : { valid: [], invalid: [found.entry] };
}

function vaultsOf(
  { credentialVaultUrl, tokenVaultUrl }: Settings,
  connections: readonly Connection[],
): Set<string> {
  const named = connections.flatMap(({ vaults }) => [vaults.credential, vaults.token]);
  return new Set(named.length > 0 ? named : [credentialVaultUrl, tokenVaultUrl]);
}

async function endpointCheck(connection: Connection, { probe }: Patient): Promise<Check> {
  const { state, message, fix = '' } = await probe(connection);
  if (state === 'answers') return ok('token endpoint', message);
  return state === 'odd'
    ? warning('token endpoint', message, fix)
    : failed('token endpoint', { message, fix });
}

async function connectionChecks(connection: Connection, { ports, now }: Patient): Promise<Check[]> {
  const { name } = connection;
  const record = await ports.records.read(name).catch((thrown: unknown) => ({ thrown }));
  const recorded =
    record && 'thrown' in record
      ? [thrownCheck('record', record.thrown)]
      : recordChecks(connection, record, now());
  const known = record && 'thrown' in record ? undefined : record;
  const secrets = await secretChecks(connection, ports, { record: known, now: now() });
  const schedule = [
    lifetimeCheck(connection, known, ports.scheduleIntervalMs),
    ...expiryChecks(connection, known),
    graceCheck(connection, ports.scheduleIntervalMs),
  ];
  return [...secrets, ...schedule, ...recorded].map((each) => ({ ...each, connection: name }));
}

function recordChecks(
  { name, secrets }: Connection,
  record: ConnectionRecord | undefined,
  now: number,
): Check[] {
  if (!record) return [ok('record', 'The record does not exist yet; the first sweep creates it.')];
  const { failure, refreshTokenExpiresAt: expiresAt, refreshTokenEndIsFixed } = record;
  const checks = failure ? [failed('record', failure)] : [ok('record', 'The last rotation succeeded.')];
  if (expiresAt === undefined || refreshTokenEndIsFixed === false || expiresAt > now + EXPIRY_NOTICE_MS)
    return checks;
  const message = `The refresh token expires on ${new Date(expiresAt).toISOString().slice(0, 10)} unless it is renewed first.`;
  return [
    ...checks,
    warning(
      'refresh token',
      message,
      `Run rotator connect ${name} to sign in again, or set ${secrets.refreshToken} to a new refresh token.`,
    ),
  ];
}

/** Tokens must outlive the sweep that renews them. */
function lifetimeCheck(
  connection: Connection,
  record: ConnectionRecord | undefined,
  scheduleIntervalMs: number,
): Check {
  const [message] = leftWarnings(connection, record && summaryOf(record), scheduleIntervalMs);
  if (message !== undefined) return warning('schedule', message, SCHEDULE_FIX);
  return ok('schedule', `A sweep at least every ${scheduleIntervalMs / 1000} s renews tokens in time.`);
}

/** Whether the provider says when its access tokens expire. */
function expiryChecks({ name, behavior }: Connection, record: ConnectionRecord | undefined): Check[] {
  if (!record?.accessToken?.expiresInIsDefault) return [];
  const { defaultExpiresInMs } = behavior;
  const message = `The provider names no lifetime of its access tokens; the rotator uses the default of ${defaultExpiresInMs / 1000} s.`;
  // Another default comes from the entry, or from what the provider documents.
  if (defaultExpiresInMs !== CAREFUL_BEHAVIOR.defaultExpiresInMs) return [ok('expiry', message)];
  return [
    warning('expiry', message, `Set accessTokenLifetime of ${name} to their lifetime at the provider.`),
  ];
}

function graceCheck({ name, grant, behavior }: Connection, scheduleIntervalMs: number): Check {
  if (grant === 'client_credentials')
    return ok(
      'grant',
      'The grant has no refresh token: a lost token request is sent again, and costs nothing.',
    );
  if (isReusable(behavior)) return ok('grace', 'Refresh tokens stay valid after their use.');
  const { refreshTokenGraceMs: grace } = behavior;
  if (grace === 0)
    return ok(
      'grace',
      'Refresh tokens are single-use: a process that dies between the token response and the save loses the token.',
    );
  const [message] = graceWarnings(behavior, scheduleIntervalMs);
  if (message === undefined) {
    const needed = (LEASE_MS + scheduleIntervalMs) / 1000;
    return ok(
      'grace',
      `The rotator repeats a lost token request within ${needed} s; the grace is ${grace / 1000} s.`,
    );
  }
  return warning(
    'grace',
    message,
    `Set ROTATION_SCHEDULE to run more often, or configure a longer grace for ${name} at the provider.`,
  );
}
