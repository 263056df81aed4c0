import type { Settings } from '../config/settings.ts';
import { unknownConnection } from '../errors.ts';
import type { Probe } from '../oauth/probeTokenEndpoint.ts';
import { type Connection, type Connections, findConnection } from '../rotation/core/connection.ts';
import type { ConnectionRecord } from '../rotation/core/record.ts';
import { EXPIRY_NOTICE_MS } from '../rotation/core/status.ts';
import { LEASE_MS } from '../rotation/core/times.ts';
import type { Ports } from '../rotation/ports.ts';
import { type Check, failed, ok, thrownCheck, warning } from './check.ts';
import { storageChecks, vaultChecks } from './rights.ts';
import { secretChecks } from './secrets.ts';

/** What is examined, and the means that the protocol itself does not need. */
export interface Patient {
  readonly settings: Settings;
  readonly ports: Ports;
  /** Gets a token for the vaults and throws it away. @throws RotatorError */
  readonly signIn: () => Promise<void>;
  readonly probe: (connection: Connection) => Promise<Probe>;
  /** This machine's clock, in milliseconds. */
  readonly now: () => number;
}

/**
 * Checks everything that can be checked without spending a token or writing anything.
 * @param name of the only connection to look at; undefined: all
 * @throws RotatorError `connection_unknown`
 */
export async function examine(patient: Patient, name: string | undefined): Promise<Check[]> {
  const { settings, ports } = patient;
  const checks: Check[] = [settingsCheck(settings), await signInCheck(patient)];
  const connections = await ports.connections().catch((thrown: unknown) => ({ thrown }));
  if ('thrown' in connections) return [...checks, thrownCheck('connections', connections.thrown)];
  const { valid, invalid } = chosen(connections, name);
  checks.push(...invalid.map(({ name, problem }) => ({ ...failed('entry', problem), connection: name })));
  for (const url of vaultsOf(settings, valid)) checks.push(...(await vaultChecks(ports.vault(url), url)));
  checks.push(...(await storageChecks(ports.records, patient.now)));
  const endpoints = new Map(valid.map((each) => [`${each.tokenUri} ${each.allowPrivateNetwork}`, each]));
  for (const connection of endpoints.values()) checks.push(await endpointCheck(connection, patient));
  for (const connection of valid) checks.push(...(await connectionChecks(connection, patient)));
  return checks;
}

function settingsCheck({ warnings, schedule }: Settings): Check {
  const [first] = warnings;
  if (first === undefined) return ok('settings', `They are complete; the schedule is ${schedule}.`);
  return warning('settings', warnings.join(' '), 'Remove the settings that have no effect.');
}

async function signInCheck({ signIn }: Patient): Promise<Check> {
  try {
    await signIn();
    return ok('sign-in', 'It works. The rights below are those of whoever is signed in here.');
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
  const secrets = await secretChecks(connection, ports, now());
  return [...secrets, graceCheck(connection, ports.scheduleIntervalMs), ...recorded].map((each) => ({
    ...each,
    connection: name,
  }));
}

function recordChecks({ secrets }: Connection, record: ConnectionRecord | undefined, now: number): Check[] {
  if (!record) return [ok('record', 'There is none yet: the first sweep makes it.')];
  const { failure, refreshTokenExpiresAt: expiresAt } = record;
  const checks = failure ? [failed('record', failure)] : [ok('record', 'The last rotation went well.')];
  if (expiresAt === undefined || expiresAt > now + EXPIRY_NOTICE_MS) return checks;
  const message = `The refresh token expires on ${new Date(expiresAt).toISOString().slice(0, 10)} unless it is renewed before.`;
  return [
    ...checks,
    warning('refresh token', message, `Sign in again, or set ${secrets.refreshToken} anew.`),
  ];
}

/** The law of takeover: another process must be able to repeat a lost grant while the provider still takes the old token. */
function graceCheck({ name, behavior }: Connection, scheduleIntervalMs: number): Check {
  const grace = behavior.refreshTokenGraceMs;
  const needed = LEASE_MS + scheduleIntervalMs;
  if (grace === Number.POSITIVE_INFINITY) return ok('grace', 'Refresh tokens stay usable.');
  if (grace === 0)
    return ok('grace', 'Single use: a process that dies between answer and save loses the token.');
  if (grace > needed)
    return ok('grace', `A lost grant is repeated within ${needed / 1000} s, the grace is ${grace / 1000} s.`);
  return warning(
    'grace',
    `The grace of ${grace / 1000} s is over before a lost grant is repeated: lease and timer take ${needed / 1000} s.`,
    `Let ROTATION_SCHEDULE run more often, or have the provider give ${name} a longer grace.`,
  );
}
