import { SECRET_NAME } from '../secretNames.ts';
import { readAddress, readOrigin } from './address.ts';
import {
  type Environment,
  type EnvironmentReader,
  GUID,
  isInQuotes,
  isReference,
  note,
  readClientId,
  readCount,
  readFlag,
  readList,
  readOriginOf,
  settingOf,
} from './environmentReader.ts';
import { findingsError } from './findings.ts';
import { longestGapMs, scheduleProblem } from './schedule.ts';
import {
  type CallerRules,
  type ConnectionsSource,
  type Limits,
  type Settings,
  SUBSCRIPTION_WRITES,
} from './settings.ts';
import { readStorage } from './storageSettings.ts';

/** Every 10 s: lease plus schedule interval must stay below the provider's grace, so that another process can repeat a request. */
const DEFAULT_SCHEDULE = '*/10 * * * * *';
/** Key Vault accepts 300 new versions per vault in ten seconds. The rotator writes evenly, so it may use nearly all of them: three are for what arrives late and then in a row. */
const VAULT_WRITES = { most: 300, fallback: 297 };

const MOST_RECIPIENTS = 1_000;

const CONNECTIONS_FIX =
  'Set CONNECTIONS to the JSON text of the connections, to the path of a file, or to the https URL of a blob (https://ACCOUNT.blob.core.windows.net/CONTAINER/BLOB).';
const SCHEDULE_FIX = `Set ROTATION_SCHEDULE to six fields (second minute hour day month day-of-week), for example ${DEFAULT_SCHEDULE}.`;

/**
 * Checks all settings together.
 * @param env variables by name; this function does not read `process.env`
 * @throws RotatorError `configuration_invalid`, which names every variable that is missing or not valid, without its value
 */
export function readEnvironment(env: Environment): Settings {
  const reader: EnvironmentReader = { env, findings: [], warnings: proxyWarnings(env) };
  const settings = readSettings(reader);
  if (!settings || reader.findings.length > 0) throw findingsError('configuration_invalid', reader.findings);
  return settings;
}

/**
 * The settings that the check of a connections file needs; all others may be missing. A wrong schedule is reported as well.
 * @throws RotatorError `configuration_invalid`, as {@link readEnvironment}
 */
export function readEntryRules(
  env: Environment,
): Pick<Settings, 'credentialVaultUrl' | 'tokenVaultUrl' | 'allowLoopbackHttp' | 'limits'> {
  const reader: EnvironmentReader = { env, findings: [], warnings: [] };
  const allowLoopbackHttp = readFlag(reader, 'ALLOW_LOOPBACK_HTTP');
  const vaults = readVaults(reader, allowLoopbackHttp);
  const limits = readLimits(reader, allowLoopbackHttp);
  readSchedule(reader);
  if (!vaults || reader.findings.length > 0) throw findingsError('configuration_invalid', reader.findings);
  return { ...vaults, allowLoopbackHttp, limits };
}

/** Undefined only if the reader has a finding. */
function readSettings(reader: EnvironmentReader): Settings | undefined {
  const allowLoopbackHttp = readFlag(reader, 'ALLOW_LOOPBACK_HTTP');
  const vaults = readVaults(reader, allowLoopbackHttp);
  const connectionsSource = readConnectionsSource(reader, allowLoopbackHttp);
  const timing = readSchedule(reader);
  const storage = readStorage(reader, allowLoopbackHttp);
  const vaultWritesPer10Seconds = readCount(
    reader,
    'VAULT_WRITES_PER_10_SECONDS',
    VAULT_WRITES.most,
    VAULT_WRITES.fallback,
  );
  const share = readCount(reader, 'SUBSCRIPTION_WRITES_PER_10_SECONDS', SUBSCRIPTION_WRITES, 0);
  const alarmRecipients = readRecipients(reader);
  const clientId =
    readClientId(reader, 'AZURE_CLIENT_ID') ?? settingOf(reader, 'AzureWebJobsStorage__clientId');
  const callers = readCallers(reader);
  const limits = readLimits(reader, allowLoopbackHttp);
  checkProxy(reader);
  if (!vaults || !connectionsSource || !timing || !storage) return undefined;
  const { warnings } = reader;
  const identity = clientId === undefined ? {} : { managedIdentityClientId: clientId };
  return {
    ...vaults,
    ...timing,
    ...identity,
    ...(callers && { callers }),
    ...(share > 0 && { subscriptionWritesPer10Seconds: share }),
    ...(alarmRecipients !== undefined && { alarmRecipients }),
    connectionsSource,
    storage,
    vaultWritesPer10Seconds,
    allowLoopbackHttp,
    limits,
    warnings,
  };
}

/** The deployment also says that there are none. */
function readRecipients(reader: EnvironmentReader): number | undefined {
  const text = settingOf(reader, 'ALARM_RECIPIENTS');
  if (text === undefined) return undefined;
  return text === '0' ? 0 : readCount(reader, 'ALARM_RECIPIENTS', MOST_RECIPIENTS, 0);
}

/** A host name, or `*.` and the end of host names; perhaps with a port. */
const HOST = /^(?:\*\.)?[a-z\d-]{1,63}(?:\.[a-z\d-]{1,63})*(?::[1-9]\d{0,4})?$/i;

/** What the connections file cannot decide: these settings are out of the reach of its writers. */
function readLimits(reader: EnvironmentReader, allowLoopbackHttp: boolean): Limits {
  const lower = (pattern: RegExp) => (word: string) => (pattern.test(word) ? word.toLowerCase() : undefined);
  const originOf = (word: string) => {
    const result = readOrigin(word, allowLoopbackHttp);
    return result.cause === undefined ? result.origin : undefined;
  };
  const secrets = readList(
    reader,
    'ALLOWED_SECRETS',
    (word) => (word === '*' ? word : lower(SECRET_NAME)(word)),
    'Set ALLOWED_SECRETS to names of secrets with spaces between them, or to *.',
  );
  const tokenHosts = readList(
    reader,
    'ALLOWED_TOKEN_HOSTS',
    // URL leaves out the default port as well.
    (word) => lower(HOST)(word)?.replace(/:443$/, ''),
    'Set ALLOWED_TOKEN_HOSTS to host names with spaces between them, such as login.example.com, *.example.com or, for another port than 443, login.example.com:8443.',
  );
  const vaults = readList(
    reader,
    'ALLOWED_VAULTS',
    originOf,
    'Set ALLOWED_VAULTS to addresses of vaults with spaces between them: https://VAULT.vault.azure.net.',
  );
  return { ...(secrets && { secrets }), ...(tokenHosts && { tokenHosts }), ...(vaults && { vaults }) };
}

type Vaults = Pick<Settings, 'credentialVaultUrl' | 'tokenVaultUrl'>;

function readVaults(reader: EnvironmentReader, allowLoopbackHttp: boolean): Vaults | undefined {
  const credentialVaultUrl = readVault(reader, 'CREDENTIAL_VAULT_URL', allowLoopbackHttp);
  if (settingOf(reader, 'CREDENTIAL_VAULT_URL') === undefined) {
    note(reader, 'CREDENTIAL_VAULT_URL', 'is not set', vaultFix('CREDENTIAL_VAULT_URL'));
  }
  const tokenVaultUrl = readVault(reader, 'TOKEN_VAULT_URL', allowLoopbackHttp) ?? credentialVaultUrl;
  return credentialVaultUrl && tokenVaultUrl ? { credentialVaultUrl, tokenVaultUrl } : undefined;
}

function readVault(reader: EnvironmentReader, name: string, allowLoopbackHttp: boolean): string | undefined {
  return readOriginOf(reader, name, vaultFix(name), allowLoopbackHttp);
}

function vaultFix(name: string): string {
  return `Set ${name} to the vault's address, https://VAULT.vault.azure.net.`;
}

function readConnectionsSource(
  reader: EnvironmentReader,
  allowLoopbackHttp: boolean,
): ConnectionsSource | undefined {
  const value = settingOf(reader, 'CONNECTIONS');
  if (value === undefined || isReference(reader, 'CONNECTIONS') || isInQuotes(reader, 'CONNECTIONS')) {
    note(reader, 'CONNECTIONS', 'is not set', CONNECTIONS_FIX);
    return undefined;
  }
  // Paths do not begin like JSON or contain line breaks.
  if (/^[[{"]|[\r\n]/.test(value)) return { kind: 'inline', text: value };
  if (/^[a-z][a-z0-9+.-]+:\/\//i.test(value)) return readBlobUrl(reader, value, allowLoopbackHttp);
  return { kind: 'file', path: value };
}

/** Signed URLs are refused: the signature is a secret, and the rotator's identity can read the blob without it. */
function readBlobUrl(
  reader: EnvironmentReader,
  value: string,
  allowLoopbackHttp: boolean,
): ConnectionsSource | undefined {
  const { url, cause } = readAddress(value, { allowLoopbackHttp, query: false });
  if (url && /^\/[^/]+\/./.test(url.pathname)) return { kind: 'blob', url: url.href };
  note(reader, 'CONNECTIONS', cause ?? 'is an address without container and blob', CONNECTIONS_FIX);
  return undefined;
}

/**
 * WEBSITE_AUTH_ENABLED is set by the platform: https://learn.microsoft.com/azure/app-service/reference-app-settings. If it
 * is missing, or REQUIRED_TENANT_ID is not an id, calls are refused but sweeps run: tokens must not expire because of a wrong setting
 * of the HTTP functions.
 */
function readCallers(reader: EnvironmentReader): CallerRules | undefined {
  const requiredRole = settingOf(reader, 'REQUIRED_APP_ROLE');
  if (requiredRole === undefined) return undefined;
  const platformAuthenticates = settingOf(reader, 'WEBSITE_AUTH_ENABLED')?.toLowerCase() === 'true';
  const tenant = settingOf(reader, 'REQUIRED_TENANT_ID')?.toLowerCase();
  return { requiredRole, tenant: tenant && GUID.test(tenant) ? tenant : undefined, platformAuthenticates };
}

function readSchedule(
  reader: EnvironmentReader,
): Pick<Settings, 'schedule' | 'scheduleIntervalMs'> | undefined {
  // With the white space around it: the host takes a line break for a part of the last field.
  const schedule = reader.env.ROTATION_SCHEDULE || DEFAULT_SCHEDULE;
  const scheduleIntervalMs = longestGapMs(schedule);
  if (scheduleIntervalMs !== undefined) return { schedule, scheduleIntervalMs };
  const cause = `is not an NCRONTAB schedule: ${scheduleProblem(schedule)}`;
  note(reader, 'ROTATION_SCHEDULE', cause, SCHEDULE_FIX);
  return undefined;
}

/** What the Azure SDKs read, and fail at without a name: the first of these that is set, in upper or lower case. */
const PROXY_SETTINGS = ['HTTPS_PROXY', 'ALL_PROXY', 'HTTP_PROXY'].flatMap((name) => [
  name,
  name.toLowerCase(),
]);

function checkProxy(reader: EnvironmentReader): void {
  const name = PROXY_SETTINGS.find((each) => reader.env[each]);
  if (name === undefined) return;
  if (/^https?:$/.test(URL.parse(reader.env[name] ?? '')?.protocol ?? '')) return;
  const fix = `Set ${name} to the URL of the proxy, for example http://proxy.contoso.com:8080, or remove it.`;
  note(reader, name, 'is not an http or https URL', fix);
}

/** A proxy resolves names itself, so the check of the resolved address would have no effect behind one. */
function proxyWarnings(env: Environment): string[] {
  return Object.keys(env)
    .filter((name) => /^(https?|all)_proxy$/i.test(name) && env[name]?.trim())
    .map(
      (name) =>
        `${name} is ignored for token endpoints, because token requests use no proxy. Give the app a direct route to its providers.`,
    );
}
