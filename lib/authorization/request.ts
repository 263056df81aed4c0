import type { AuthorizationServer } from 'oauth4webapi';
import type { ClientAuthentication } from '../rotation/core/connection.ts';

/** Who asks which authorization server for what. */
export interface AuthorizationRequest {
  readonly server: AuthorizationServer;
  readonly clientId: string;
  readonly clientSecret: string;
  readonly clientAuthentication: ClientAuthentication;
  /** Sent with the authorization request (RFC 6749 section 4.1.1, RFC 8628 section 3.1): `scope` and what the provider wants. */
  readonly parameters: Readonly<Record<string, string>>;
  /** May the server be this machine, without TLS? For the local stack only. */
  readonly allowLoopbackHttp: boolean;
  /** Fires at Ctrl-C. */
  readonly signal: AbortSignal;
}

/** What a person's consent brought. Never to be shown or logged. */
export interface ObtainedTokens {
  readonly refreshToken: string;
  /** What was granted, where the answer says it, else undefined. */
  readonly scope: string | undefined;
}
