import type { AuthorizationServer } from 'oauth4webapi';
import type { ClientAuthentication, TokenBehavior } from '../rotation/core/connection.ts';

/** One sign-in: the authorization server, the client and the parameters. */
export interface AuthorizationRequest {
  readonly server: AuthorizationServer;
  readonly clientId: string;
  /** Empty if the client has none. */
  readonly clientSecret: string;
  /** A new client assertion, if the client authentication needs one. @throws RotatorError */
  readonly clientAssertion?: () => Promise<string>;
  readonly clientAuthentication: ClientAuthentication;
  /** Sent with the authorization request (RFC 6749 section 4.1.1, RFC 8628 section 3.1): `scope` and what the provider needs. */
  readonly parameters: Readonly<Record<string, string>>;
  /** Sent with the requests for tokens, as with those of the rotations. */
  readonly tokenParameters: Readonly<Record<string, string>>;
  /** How the provider's token responses differ from RFC 6749. */
  readonly behavior: TokenBehavior;
  /** May the server be this machine, without TLS? For the local stack only. */
  readonly allowLoopbackHttp: boolean;
  /** May the server be in a private network? As in the entry of the connection; default false. */
  readonly allowPrivateNetwork?: boolean;
  /** Fires at Ctrl-C. */
  readonly signal: AbortSignal;
}

/** The result of a user's consent. It must never be shown or logged. */
export interface ObtainedTokens {
  readonly refreshToken: string;
  /** The granted scope; undefined if the response does not name it. */
  readonly scope: string | undefined;
  /** Where the browser came back to; missing if it was not needed. */
  readonly redirectUri?: string;
}
