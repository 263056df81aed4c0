import type { IncomingHttpHeaders, ServerResponse } from 'node:http';

/** One OAuth client that the server knows. */
export interface LocalClient {
  clientId: string;
  /** The secret that the server accepts; printable ASCII. */
  clientSecret: string;
  clientAuthentication: 'client_secret_basic' | 'client_secret_post';
  /**
   * `single_use`: each refresh token works once, a second use revokes the whole family.
   * `grace`: a refresh token stays usable for `graceSeconds` after its first use; a use after that revokes the family.
   * `none`: the refresh token is reusable and each answer repeats it.
   */
  rotation: 'single_use' | 'grace' | 'none';
  /** With `grace` only. */
  graceSeconds?: number | undefined;
  /** Where the authorization code goes; nothing has to listen there. */
  redirectUri: string;
  /**
   * A person signs in and consents by clicks, with the code flow on any loopback port or the device flow. Default: both happen
   * without a click.
   */
  interactive?: true | undefined;
}

/** How to start the server. */
export interface AuthorizationServerOptions {
  clients: readonly LocalClient[];
  accessTokenSeconds: number;
  /** Keeps grants, tokens and keys over a restart. Absent: everything is forgotten on close. */
  dataFile?: string | undefined;
  /**
   * Milliseconds; decides about grace and expiry. For tests: it may run ahead of the machine's clock, which
   * oidc-provider reads as well, but not behind it.
   */
  now?: (() => number) | undefined;
  /** Told about failures of the server itself. Default: one line on stderr. */
  onError?: ((error: Error) => void) | undefined;
}

/** The running server. */
export interface AuthorizationServer {
  readonly issuer: string;
  readonly tokenEndpoint: string;
  /** Answers 200 to a GET with a valid access token of scope `openid`, 401 to others. */
  readonly resourceEndpoint: string;
  /** Every POST to the token endpoint since the start, in the order of arrival. */
  readonly tokenRequests: readonly TokenRequest[];
  /** The highest number of refresh grants of this client that were in flight at one time so far. */
  concurrentRequests(clientId: string): number;
  /** Every access token, refresh token, id token and authorization code that the server knows to have issued. */
  issuedValues(): string[];
  /** Asks the hook about each token request that arrives from now on; `undefined` removes it. */
  intercept(hook: InterceptionHook | undefined): void;
  /** From now on this is the only secret accepted for the client. */
  setClientSecret(clientId: string, secret: string): void;
  /** A first refresh token without the code flow, for many connections at once. */
  seedRefreshToken(clientId: string): Promise<string>;
  /** Ends every connection, kept-alive and unanswered ones too. */
  close(): Promise<void>;
}

/** What is remembered of one POST to the token endpoint. It holds no secret. */
export interface TokenRequest {
  readonly clientId: string | undefined;
  readonly grantType: string | undefined;
  /** Undefined while in flight, and where the connection was destroyed before execution. */
  readonly status: number | undefined;
  /** True from the moment the grant was handed to the provider: what it did counts even where the answer got lost. */
  readonly executed: boolean;
  /** Milliseconds on the server's clock (`now`). */
  readonly startedAt: number;
  readonly endedAt: number | undefined;
}

/** What a hook sees of a token request before the grant is executed. */
interface InterceptedRequest {
  readonly clientId: string | undefined;
  readonly grantType: string | undefined;
  /** 1 for the first token request since the start. */
  readonly number: number;
  readonly headers: IncomingHttpHeaders;
  /** The form as sent, secrets included. */
  readonly form: URLSearchParams;
}

/** An answer that a hook makes up. */
export interface Answer {
  status: number;
  headers?: Record<string, string | string[]> | undefined;
  /** Strings and Buffers are sent as they are, anything else as JSON. */
  body: unknown;
  /** Default: JSON; null sends no Content-Type. */
  contentType?: string | null | undefined;
}

/** The answer that the provider gave. */
export interface ExecutedAnswer extends Answer {
  body: Record<string, unknown>;
}

/** What shall happen to a token request. To hold it, let the hook (or `alter`) return a promise that is settled later. */
export type Interception =
  | { action: 'execute' }
  | { action: 'answer'; answer: Answer }
  | { action: 'destroy' }
  | { action: 'execute_then_destroy' }
  | { action: 'execute_then_alter'; alter: (executed: ExecutedAnswer) => Answer | Promise<Answer> }
  | { action: 'take_over'; execute: boolean; write: RawWriter };

/** Writes the answer itself, for what HTTP libraries refuse to send: truncated, dripping, malformed. */
export type RawWriter = (
  response: ServerResponse,
  executed: ExecutedAnswer | undefined,
) => void | Promise<void>;

/** Decides about one token request; returning nothing executes it. */
export type InterceptionHook = (
  request: InterceptedRequest,
) => Interception | undefined | Promise<Interception | undefined>;
