import type { KeyObject } from 'node:crypto';

/** What a caller may do, one per data action of Key Vault's role-based access control. */
export type VaultRight =
  | 'get'
  | 'set'
  | 'update'
  | 'list'
  | 'delete'
  | 'recover'
  | 'purge'
  | 'getKey'
  | 'sign'
  | 'getCertificate';

/** The operations of the secrets data plane, and three of those of keys and certificates; `unknown` is a request that matches none of them. */
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
  | 'getKey'
  | 'sign'
  | 'getCertificate'
  | 'unknown';

/** An authenticated request as the intercept hook sees it. It never contains a value, a token or a query. */
interface RecordedRequestBeforeResponse {
  readonly method: string;
  readonly path: string;
  readonly operation: VaultOperation;
  readonly secretName?: string;
  readonly version?: string;
  readonly bearerIdentity?: string;
}

/** The same request with its outcome. */
export interface RecordedRequest extends RecordedRequestBeforeResponse {
  /** Status sent to the caller; 0 before that, and permanently 0 if the connection was cut. */
  readonly status: number;
  /** Whether the vault executed the request (it does not execute a request that it refuses). */
  readonly executed: boolean;
}

/** A response; a body that is not a string is sent as JSON. */
export interface VaultResponse {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
}

/** What an intercept hook may do to a request; if it returns undefined, the request passes unchanged. */
export type FaultDecision =
  | { readonly kind: 'answerInstead'; readonly answer: VaultResponse }
  | { readonly kind: 'destroyBefore' }
  | { readonly kind: 'executeThenDestroy' }
  | {
      readonly kind: 'executeThenAnswer';
      /** A fixed response, or one made from the real response (awaiting in it delays the response only). */
      readonly answer: VaultResponse | ((real: VaultResponse) => VaultResponse | Promise<VaultResponse>);
    };

/** Called for every authenticated request before it is executed; awaiting in it delays the request. */
export type InterceptHook = (
  request: RecordedRequestBeforeResponse,
) => Promise<FaultDecision | undefined> | FaultDecision | undefined;

/** Options for starting a vault. */
export interface KeyVaultOptions {
  /** Name of the vault, for messages only. */
  readonly name: string;
  /** If present, the vault also listens on TLS with this key and certificate. */
  readonly tls?: { readonly key: string; readonly cert: string };
  /** The file that keeps the vault. If it is missing, the vault is in memory only. */
  readonly dataFile?: string;
  /** Rights of a bearer token; undefined means that the token is unknown (401). */
  authorize(bearerToken: string): readonly VaultRight[] | undefined;
  /** Name of the token's holder, for the record of requests. */
  identify?(bearerToken: string): string | undefined;
  /** Clock in milliseconds. */
  readonly now?: () => number;
  readonly limits?: { readonly newVersionsPer10Seconds?: number };
  /** Default: none. */
  readonly policies?: VaultPolicies;
}

/** The built-in policies of Azure Policy for new versions. */
export interface VaultPolicies {
  readonly expirationRequired?: boolean;
  readonly contentTypeRequired?: boolean;
  /** An expiration date is required, at most so many days away. */
  readonly longestValidityDays?: number;
  /** If there is an expiration date, it is at least so many days away. */
  readonly shortestRemainderDays?: number;
}

/** What an operator imports or creates in a vault. */
export interface ImportedKey {
  readonly privateKey: KeyObject;
  /** DER. */
  readonly certificate?: Buffer;
  readonly enabled?: boolean;
  /** Seconds since the epoch. */
  readonly exp?: number;
  readonly tags?: Readonly<Record<string, string>>;
}

/** A running vault. */
export interface KeyVaultServer {
  /** Plain HTTP, for curl and scripts: the real clients send bearer tokens only to TLS addresses. */
  readonly url: string;
  readonly tlsUrl?: string;
  /** Every authenticated request in order of arrival, without the challenge. */
  readonly requests: readonly RecordedRequest[];
  clearRequests(): void;
  /** Every value ever stored, including purged ones and those of the data file. */
  issuedValues(): string[];
  /** Replaces the policies for new versions. */
  assignPolicies(policies: VaultPolicies): void;
  /** Adds a version of a key, with its certificate if there is one. Keys are in memory only. @returns the version */
  importKey(name: string, key: ImportedKey): string;
  /** Sets the hook that decides about faults, or removes it. */
  intercept(hook: InterceptHook | undefined): void;
  /** Stops listening, cuts open connections and waits for the last write of the data file. */
  close(): Promise<void>;
}
