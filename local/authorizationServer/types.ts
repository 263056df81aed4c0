import type { JsonWebKey } from 'node:crypto';
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

/** One OAuth client that the server knows. */
export interface LocalClient {
  clientId: string;
  /** The secret that the server accepts; printable ASCII, or empty. Unused by methods without a secret. */
  clientSecret: string;
  /** As in an entry. With `client_secret_basic_raw`, the server compares both parts of the header as they are. */
  clientAuthentication: LocalAuthentication;
  /** The public keys that the server knows, for `private_key_jwt`. */
  keys?: readonly JsonWebKey[] | undefined;
  /** If there are some, an assertion names one of these certificates (`x5t#S256`), as at Entra ID. */
  thumbprints?: readonly string[] | undefined;
  /** Whose tokens the server accepts instead, for `managed_identity_federation`. */
  federation?: Federation | undefined;
  /**
   * `single_use`: each refresh token works once, a second use revokes the whole family.
   * `grace`: a refresh token stays usable for `graceSeconds` after its first use; a later use revokes the family.
   * `none`: the refresh token is reusable and each response repeats it.
   */
  rotation: 'single_use' | 'grace' | 'none';
  /** For `grace` only. */
  graceSeconds?: number | undefined;
  /** The target of the authorization code, also with any port. No server has to listen there. */
  redirectUri: string;
  /** A user signs in and consents by clicks. Default: both happen without a click. */
  interactive?: true | undefined;
  /** The client has the grant `client_credentials` as well. */
  clientCredentials?: true | undefined;
}

/** How a client proves its identity. */
export type LocalAuthentication =
  | 'client_secret_basic'
  | 'client_secret_basic_raw'
  | 'client_secret_post'
  | 'private_key_jwt'
  | 'managed_identity_federation'
  | 'none';

/** A federated credential of an application. */
export interface Federation {
  readonly issuer: string;
  readonly subject: string;
  readonly audience: string;
  /** The public key of the issuer. */
  readonly key: JsonWebKey;
}

/** How to start the server. */
export interface AuthorizationServerOptions {
  clients: readonly LocalClient[];
  accessTokenSeconds: number;
  /** The file that keeps grants, tokens and keys across a restart. If it is missing, the server forgets everything on close. */
  dataFile?: string | undefined;
  /**
   * Milliseconds; the clock for grace periods and expiry. In tests, it may run ahead of the machine's clock, which
   * oidc-provider also reads, but not behind it.
   */
  now?: (() => number) | undefined;
  /** Receives failures of the server itself. Default: one line on stderr. */
  onError?: ((error: Error) => void) | undefined;
}

/** The running server. */
export interface AuthorizationServer {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  /** Responds with 200 to a GET with a valid access token of scope `openid`, and with 401 to others. */
  readonly resourceEndpoint: string;
  /** Every POST to the token endpoint since the start, in the order of arrival. */
  readonly tokenRequests: readonly TokenRequest[];
  /** The highest number of refresh token requests of this client that have been in flight at the same time. */
  concurrentRequests(clientId: string): number;
  /** Every access token, refresh token, ID token and authorization code that the server knows it issued. */
  issuedValues(): string[];
  /** Calls the hook for each token request that arrives from now on; `undefined` removes it. */
  intercept(hook: InterceptionHook | undefined): void;
  /** From now on, the server accepts only this secret for the client. */
  setClientSecret(clientId: string, secret: string): void;
  /** Makes a first refresh token without the code flow, for many connections at once. */
  seedRefreshToken(clientId: string): Promise<string>;
  /** Ends every connection, also kept-alive ones and ones that wait for a response. */
  close(): Promise<void>;
}

/** The record of one POST to the token endpoint. It contains no secret. */
export interface TokenRequest {
  readonly clientId: string | undefined;
  readonly grantType: string | undefined;
  /** Undefined while in flight, and if the connection was destroyed before execution. */
  readonly status: number | undefined;
  /** True from the moment the provider received the token request: its effects count even if the response got lost. */
  readonly executed: boolean;
  /** Milliseconds on the server's clock (`now`). */
  readonly startedAt: number;
  readonly endedAt: number | undefined;
}

/** What a hook sees of a token request before the provider executes it. */
interface InterceptedRequest {
  readonly clientId: string | undefined;
  readonly grantType: string | undefined;
  /** 1 for the first token request since the start. */
  readonly number: number;
  readonly headers: IncomingHttpHeaders;
  /** The form as sent, including secrets. */
  readonly form: URLSearchParams;
}

/** A response that a hook makes. */
export interface HookResponse {
  status: number;
  headers?: Record<string, string | string[]> | undefined;
  /** Strings and Buffers are sent unchanged, anything else as JSON. */
  body: unknown;
  /** Default: JSON; null sends no Content-Type. */
  contentType?: string | null | undefined;
}

/** The response of the provider. */
export interface ExecutedResponse extends HookResponse {
  body: Record<string, unknown>;
}

/** What happens to a token request. To hold it, let the hook (or `alter`) return a promise that settles later. */
export type Interception =
  | { action: 'execute' }
  | { action: 'answer'; answer: HookResponse }
  | { action: 'destroy' }
  | { action: 'execute_then_destroy' }
  | {
      action: 'execute_then_alter';
      alter: (executed: ExecutedResponse) => HookResponse | Promise<HookResponse>;
    }
  | { action: 'take_over'; execute: boolean; write: RawWriter };

/** Writes the response itself: for truncated, slow or malformed responses, which HTTP libraries refuse to send. */
export type RawWriter = (
  response: ServerResponse,
  executed: ExecutedResponse | undefined,
) => void | Promise<void>;

/** Decides about one token request; if it returns nothing, the provider executes the request. */
export type InterceptionHook = (
  request: InterceptedRequest,
) => Interception | undefined | Promise<Interception | undefined>;
