/** New versions that Key Vault accepts in ten seconds per subscription and region: five vaults' worth (Key Vault service limits). */
export const SUBSCRIPTION_WRITES = 1_500;

/** The source of the connections. */
export type ConnectionsSource =
  | { readonly kind: 'inline'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'blob'; readonly url: string };

/** The storage account of the records, which the Functions host also uses. */
export type StorageSettings =
  | { readonly kind: 'connectionString'; readonly connectionString: string }
  | { readonly kind: 'identity'; readonly blobServiceUrl: string; readonly clientId?: string };

/** What callers of the HTTP functions need in addition to a key. */
export interface CallerRules {
  /** The Entra app role that a caller must have. */
  readonly requiredRole: string;
  /** Id (a GUID in lower case) of the Entra tenant whose role counts; undefined if the setting is missing, and then no role counts. */
  readonly tenant: string | undefined;
  /** Does App Service authentication protect the functions? Only then can its headers about a caller be trusted. */
  readonly platformAuthenticates: boolean;
}

/** What the connections file cannot decide. A missing member sets no limit. */
export interface Limits {
  /** Names in lower case, or `*`: secrets that any connection may use as its credentials. None are allowed if it is missing. */
  readonly secrets?: readonly string[];
  /** Host names of token endpoints in lower case; `*.example.com` stands for every name below it. */
  readonly tokenHosts?: readonly string[];
  /** Addresses without a slash at the end, in addition to the two vaults of the settings. */
  readonly vaults?: readonly string[];
}

/** The settings from the environment, checked and with every default filled in. */
export interface Settings {
  /** Address of the vault with client credentials and refresh tokens, without a slash at the end. */
  readonly credentialVaultUrl: string;
  /** Address of the vault with the secrets that consumers read, without a slash at the end. */
  readonly tokenVaultUrl: string;
  readonly connectionsSource: ConnectionsSource;
  /** NCRONTAB of six fields. */
  readonly schedule: string;
  /** The longest time between two runs of the schedule, in milliseconds. */
  readonly scheduleIntervalMs: number;
  readonly storage: StorageSettings;
  /** Client id of the user-assigned identity; undefined: the system-assigned one, or a developer's own sign-in. */
  readonly managedIdentityClientId?: string;
  /** If undefined, a key is enough. */
  readonly callers?: CallerRules;
  /** New versions of secrets per vault in ten seconds. */
  readonly vaultWritesPer10Seconds: number;
  /** The share of the subscription's new versions in ten seconds that this rotator may use; missing: all of them. */
  readonly subscriptionWritesPer10Seconds?: number;
  /** How many addresses the deployment sends alarms to; missing: the deployment does not say. */
  readonly alarmRecipients?: number;
  /** May an address be plain http if its host is this machine? */
  readonly allowLoopbackHttp: boolean;
  readonly limits: Limits;
  /** Problems that are logged but do not stop the rotator. */
  readonly warnings: readonly string[];
}
