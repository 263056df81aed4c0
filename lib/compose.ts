import { randomUUID } from 'node:crypto';
import { createRecordStore } from './azure/blobRecords.ts';
import { readConfigurationBlob } from './azure/configurationBlob.ts';
import { createCredential } from './azure/credential.ts';
import { createFederatedToken } from './azure/federatedToken.ts';
import { createHttpClient } from './azure/httpClient.ts';
import { createVaultKeys } from './azure/keyVaultKeys.ts';
import { createSecretVault } from './azure/keyVaultSecrets.ts';
import { signIn } from './azure/signIn.ts';
import { createWritePacer } from './azure/writePacer.ts';
import { systemClock } from './clock.ts';
import { readConnectionFile } from './config/connectionFile.ts';
import type { ConnectionReaders } from './config/connectionSource.ts';
import { createConnectionSource } from './config/connectionSource.ts';
import { readEnvironment } from './config/environment.ts';
import type { Environment } from './config/environmentReader.ts';
import { nextRunOf } from './config/schedule.ts';
import type { CallerRules, Settings } from './config/settings.ts';
import { problemOf } from './errors.ts';
import { hostLookup } from './hostLookup.ts';
import { jsonLog, type Log, type LogLevel } from './log.ts';
import { createClientAssertions } from './oauth/clientAssertion.ts';
import { type Probe, probeTokenEndpoint } from './oauth/probeTokenEndpoint.ts';
import { createRevocation } from './oauth/revoke.ts';
import { createTokenEndpoint } from './oauth/tokenEndpoint.ts';
import type { Connection } from './rotation/core/connection.ts';
import type { Ports } from './rotation/ports.ts';
import { ownersOfSecret } from './rotation/secretOwner.ts';
import { createRotator, type Rotator } from './rotator.ts';

export type { CallerRules } from './config/settings.ts';

/** The rotator, and the rules for callers of the HTTP functions. */
export type Composition = Rotator & { readonly callers: CallerRules | undefined };
/** Receives each log line, without a line end. */
export type WriteLine = (level: LogLevel, line: string) => void;

/** The production adapters, for commands that need more than a rotator. */
export interface Parts {
  readonly settings: Settings;
  readonly ports: Ports;
  /** Gets a token for the vaults and throws it away. Returns who signed in, for people. @throws RotatorError */
  readonly signIn: () => Promise<string>;
  /** Sends an empty request to the token endpoint of a connection. */
  readonly probe: (connection: Connection) => Promise<Probe>;
}

/**
 * A rotator with the production adapters.
 * @param env the process's environment
 * @throws RotatorError `configuration_invalid`
 */
export function compose(env: Environment, write: WriteLine = writeToConsole): Composition {
  const { settings, ports } = composeParts(env, write);
  return { ...createRotator(ports, Date.now), callers: settings.callers };
}

/**
 * Creates the production adapters: the only place that knows all of them.
 * @throws RotatorError `configuration_invalid`
 */
export function composeParts(env: Environment, write: WriteLine): Parts {
  const log = jsonLog(write, Date.now);
  const settings = readSettings(env, log);
  for (const message of settings.warnings) log('warn', 'setting_ignored', { message });
  const { managedIdentityClientId, allowLoopbackHttp, storage } = settings;
  const credential = createCredential({ env, managedIdentityClientId });
  const storageClientId = storage.kind === 'identity' ? storage.clientId : undefined;
  const storageCredential = createCredential({
    env,
    managedIdentityClientId: storageClientId ?? managedIdentityClientId,
  });
  const lookup = hostLookup();
  const httpClient = createHttpClient(lookup);
  const pacer = createWritePacer(settings.vaultWritesPer10Seconds, systemClock);
  const vault = remembering((url) => {
    const onThrottledWrite = (ms: number | undefined) => pacer.pause(url, ms);
    return createSecretVault(url, credential, { httpClient, onThrottledWrite });
  });
  const storageAccess = { location: storage, credential: storageCredential, httpClient };
  const records = createRecordStore(storageAccess);
  const readers: ConnectionReaders = {
    readFile: readConnectionFile,
    readBlob: async (url, stamp) => {
      const blob = await readConfigurationBlob(url, storageAccess, stamp);
      return blob === 'unchanged' ? blob : { text: blob.text, stamp: blob.etag };
    },
    ownersOf: (secret) => ownersOfSecret(secret, { vault, records }),
  };
  const ports: Ports = {
    vault,
    records,
    tokenEndpoint: createTokenEndpoint({ allowLoopbackHttp, now: Date.now, lookup }),
    revoke: createRevocation({ allowLoopbackHttp, lookup }),
    assertions: createClientAssertions({
      keys: remembering((url) => createVaultKeys(url, credential, { httpClient })),
      federatedToken: createFederatedToken({ env, managedIdentityClientId }),
      newId: randomUUID,
    }),
    connections: createConnectionSource(settings, readers, log, Date.now),
    clock: systemClock,
    pacer,
    log,
    scheduleIntervalMs: settings.scheduleIntervalMs,
    nextSweep: nextRunOf(settings.schedule),
  };
  return {
    settings,
    ports,
    signIn: () => signIn(credential, settings.credentialVaultUrl),
    probe: (connection) => probeTokenEndpoint(connection, allowLoopbackHttp, { lookup }),
  };
}

/** A deployment with wrong settings reports them in the log at each trigger, not only in HTTP responses. */
function readSettings(env: Environment, log: Log): Settings {
  try {
    return readEnvironment(env);
  } catch (thrown) {
    log('error', 'settings_invalid', { ...problemOf(thrown) });
    throw thrown;
  }
}

/** One client per vault, which keeps its network connections and its challenge. */
function remembering<T extends object>(create: (url: string) => T): (url: string) => T {
  const vaults = new Map<string, T>();
  return (url) => {
    const vault = vaults.get(url) ?? create(url);
    vaults.set(url, vault);
    return vault;
  };
}

function writeToConsole(level: LogLevel, line: string): void {
  console[level](line);
}
