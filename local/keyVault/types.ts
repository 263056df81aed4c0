/** What a caller may do, one per data action of Key Vault's role-based access control. */
export type VaultRight = 'get' | 'set' | 'update' | 'list' | 'delete' | 'recover' | 'purge';

/** The operations of the secrets data plane; `unknown` is a request that names none of them. */
export type VaultOperation =
  | 'getSecret'
  | 'setSecret'
  | 'updateSecret'
  | 'listVersions'
  | 'listSecrets'
  | 'deleteSecret'
  | 'getDeleted'
  | 'listDeleted'
  | 'recover'
  | 'purge'
  | 'unknown';

/** An authenticated request as the intercept hook sees it. It never holds a value, a token or a query. */
interface RecordedRequestBeforeAnswer {
  readonly method: string;
  readonly path: string;
  readonly operation: VaultOperation;
  readonly secretName?: string;
  readonly version?: string;
  readonly bearerIdentity?: string;
}

/** The same request with what became of it. */
export interface RecordedRequest extends RecordedRequestBeforeAnswer {
  /** Status sent to the caller; 0 while there is none, and for ever where the connection was cut. */
  readonly status: number;
  /** Whether the vault did what was asked (a refused request was not executed). */
  readonly executed: boolean;
}

/** An answer; a body that is no string is sent as JSON. */
export interface VaultResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What an intercept hook may do to a request; returning undefined lets it pass untouched. */
export type FaultDecision =
  | { readonly kind: 'answerInstead'; readonly answer: VaultResponse }
  | { readonly kind: 'destroyBefore' }
  | { readonly kind: 'executeThenDestroy' }
  | {
      readonly kind: 'executeThenAnswer';
      /** A fixed answer, or one made from the real answer (awaiting in it delays the answer only). */
      readonly answer: VaultResponse | ((real: VaultResponse) => VaultResponse | Promise<VaultResponse>);
    };

/** Called for every authenticated request before it is executed; awaiting in it delays the request. */
export type InterceptHook = (
  request: RecordedRequestBeforeAnswer,
) => Promise<FaultDecision | undefined> | FaultDecision | undefined;

/** How a vault is started. */
export interface KeyVaultOptions {
  /** Name of the vault, for messages only. */
  readonly name: string;
  /** Listens on TLS as well, with this key and certificate. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** Where the vault is kept; absent keeps it in memory. */
  readonly dataFile?: string;
  /** Rights of a bearer token; undefined means that nobody knows the token (401). */
  authorize(bearerToken: string): readonly VaultRight[] | undefined;
  /** Name of the token's holder, for the record of requests. */
  identify?(bearerToken: string): string | undefined;
  /** Clock in milliseconds. */
  readonly now?: () => number;
  readonly limits?: { readonly newVersionsPer10Seconds?: number };
}

/** A running vault. */
export interface KeyVaultServer {
  /** Plain HTTP, for curl and scripts: the real clients give bearer tokens to TLS addresses only. */
  readonly url: string;
  readonly tlsUrl?: string;
  /** Every authenticated request in order of arrival; the challenge is not among them. */
  readonly requests: readonly RecordedRequest[];
  clearRequests(): void;
  /** Every value ever stored, purged ones and those of the data file included. */
  issuedValues(): string[];
  /** Sets the hook that decides about faults, or removes it. */
  intercept(hook: InterceptHook | undefined): void;
  /** Stops listening, cuts open connections and waits for the last write of the data file. */
  close(): Promise<void>;
}
