/** Where the entries of the connections come from. */
export type ConnectionsSource =
  | { readonly kind: 'inline'; readonly text: string }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'blob'; readonly url: string };

/** The storage account of the records: the one that the Functions host uses. */
export type StorageSettings =
  | { readonly kind: 'connectionString'; readonly connectionString: string }
  | { readonly kind: 'identity'; readonly blobServiceUrl: string; readonly clientId?: string };

/** Who may call the HTTP functions, beside having a key. */
export interface CallerRules {
  /** The Entra app role that a caller must have. */
  readonly requiredRole: string;
  /** Does App Service authentication stand before the functions? Only then is what it says about a caller true. */
  readonly platformAuthenticates: boolean;
}

/** What the environment says, checked and with every default filled in. */
export interface Settings {
  /** Address of the vault with client credentials and refresh tokens, without a slash at the end. */
  readonly credentialVaultUrl: string;
  /** Address of the vault with what consumers read, without a slash at the end. */
  readonly tokenVaultUrl: string;
  readonly connectionsSource: ConnectionsSource;
  /** NCRONTAB of six fields. */
  readonly schedule: string;
  /** The longest time between two runs of the schedule, in milliseconds. */
  readonly scheduleIntervalMs: number;
  readonly storage: StorageSettings;
  /** Client id of the user-assigned identity; undefined: the system-assigned one, or a developer's own sign-in. */
  readonly managedIdentityClientId?: string;
  /** Undefined: whoever has a key may call. */
  readonly callers?: CallerRules;
  /** New versions of secrets per vault in ten seconds. */
  readonly vaultWritesPer10Seconds: number;
  /** May an address be plain http where its host is this machine? */
  readonly allowLoopbackHttp: boolean;
  /** What is worth a line in the log and stops nothing. */
  readonly warnings: readonly string[];
}
