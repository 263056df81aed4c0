import { fillIn, type Template } from '../../connectionString/template.ts';
import { type Problem, RotatorError, unknownConnection } from '../../errors.ts';
import type { ErrorRule } from './tokenRequest.ts';

/**
 * How the client proves its identity at the token endpoint. `client_secret_basic`, `client_secret_post` and `none` (only the client id):
 * RFC 6749 section 2.3.1 and RFC 7591 section 2. `client_secret_basic_raw`: for servers that compare both parts as they are, without
 * form-decoding. `private_key_jwt`: an assertion that a key of the client signs (RFC 7523 section 2.2).
 * `managed_identity_federation`: a token of the rotator's managed identity is the assertion (RFC 7521 section 4.2).
 */
export const CLIENT_AUTHENTICATION = [
  'client_secret_basic',
  'client_secret_basic_raw',
  'client_secret_post',
  'private_key_jwt',
  'managed_identity_federation',
  'none',
] as const;
export type ClientAuthentication = (typeof CLIENT_AUTHENTICATION)[number];

/** Whether the method sends a client secret, which may be empty. */
export function usesClientSecret(method: ClientAuthentication): boolean {
  return method.startsWith('client_secret_');
}

/**
 * Who a token of the managed identity may be for if it proves a client's identity. Any other one could open the vaults to the token
 * endpoint that an entry names.
 */
export const EXCHANGE_AUDIENCE = /^api:\/\/AzureADTokenExchange[A-Za-z]{0,20}$/;

/** How a client assertion is signed (RFC 7518 section 3.1). */
export const SIGNING_ALGORITHMS = ['RS256', 'PS256', 'ES256'] as const;
export type SigningAlgorithm = (typeof SIGNING_ALGORITHMS)[number];

/** A private key of the client. */
export interface ClientKey {
  /** `secret`: a secret of the credential vault holds the key as PEM. `key` and `certificate`: the vault signs, and keeps the key. */
  readonly kind: 'secret' | 'key' | 'certificate';
  /** Of the secret, key or certificate. */
  readonly name: string;
  /** Missing: RS256 for an RSA key, ES256 for an elliptic one. */
  readonly algorithm?: SigningAlgorithm;
  /** The name that the provider knows the key by (`kid`, RFC 7515 section 4.1.4). */
  readonly keyId?: string;
}

/**
 * How a provider's tokens behave: the facts of its profile, with what an entry says instead of them. Times are in milliseconds.
 * It travels whole from the profile to the code that decides by it, so that a new fact needs no way of its own.
 */
export interface TokenBehavior {
  /** How long after its first use a refresh token may be used again: 0 for single use, Infinity for tokens that stay usable. */
  readonly refreshTokenGraceMs: number;
  /**
   * Do other sources say that a refresh token is for single use? Then the grace only makes a lost request worth repeating early. It
   * never lets two requests overlap, because the provider may revoke the token family at the second one.
   */
  readonly refreshTokenGraceIsDisputed?: true;
  /** The lifetime of an access token whose answer does not say. */
  readonly defaultExpiresInMs: number;
  /** How long a refresh token lives after each refresh. */
  readonly refreshTokenIdleMs?: number;
  /** How long all refresh tokens of a sign-in live, whatever is issued since. */
  readonly refreshTokenAbsoluteMs?: number;
  /** Does a refresh end the access token before it as well? Then it comes as late as possible. */
  readonly accessTokenEndsAtRefresh?: true;
  /** The provider refuses to renew an access token that is younger. */
  readonly earliestRenewalMs?: number;
  /** So many token requests a day does the provider take from one connection. */
  readonly requestsPerDay?: number;
  /** How the provider's token responses differ from RFC 6749 section 5.1. */
  readonly response?: ResponseFacts;
  /** How the parameters of a token request are encoded. Missing: as a form, which RFC 6749 requires. */
  readonly requestFormat?: 'form' | 'json';
  /** What the provider's own errors mean. They are tried before the general ones of `lib/oauth/errorRules.ts`. */
  readonly errors?: readonly ErrorRule[];
}

/** How token responses differ from RFC 6749 section 5.1. What several providers do is understood without it. */
export interface ResponseFacts {
  /** The place of the tokens: member names from the outside to the inside, with a dot between them (`data.0`). */
  readonly tokensIn?: string;
  /** Values of `token_type` that mean Bearer, in any case. */
  readonly bearerTypes?: readonly string[];
  /** The member with the lifetime of the access token. */
  readonly expiresIn?: string;
  /** The unit of the lifetimes. Missing: seconds. */
  readonly expiresInUnit?: 's' | 'ms';
  /** The members beside the access token that become tags of its secret, because consumers need them: `instance_url`. */
  readonly tags?: readonly string[];
}

/** What is assumed where nothing is known: a used refresh token is worthless, an access token lives an hour. */
export const CAREFUL_BEHAVIOR: TokenBehavior = { refreshTokenGraceMs: 0, defaultExpiresInMs: 3_600_000 };

/** One named client at one token endpoint for one resource, ready to be used: every default is filled in. */
export interface Connection {
  readonly name: string;
  readonly provider: string;
  readonly enabled: boolean;
  readonly tokenUri: string;
  /** The endpoint that revokes its tokens (RFC 7009), if it is known. */
  readonly revocationUri?: string;
  /** What the tokens are for, where the entry says it. */
  readonly serviceUrl: string | undefined;
  /** May the token endpoint be in a private network? */
  readonly allowPrivateNetwork: boolean;
  /** The client id itself, or undefined if it is a secret of the credential vault. */
  readonly clientId: string | undefined;
  readonly clientAuthentication: ClientAuthentication;
  /** How access tokens are obtained (RFC 6749 section 4.4). Missing: with a refresh token (section 6). */
  readonly grant?: 'client_credentials';
  /** With `private_key_jwt`, in the order in which they are tried. */
  readonly clientKeys?: readonly ClientKey[];
  /** Who an assertion is for. Missing: the token endpoint, or the usual token exchange for a managed identity. */
  readonly assertionAudience?: string;
  /** Sent with each token request, in addition to the protocol's own: `scope`, `resource` and whatever the provider wants. */
  readonly parameters: Readonly<Record<string, string>>;
  readonly secrets: {
    readonly clientId: string;
    /** In the order in which they are tried. Empty: the client secret is empty, or the client has none. */
    readonly clientSecrets: readonly string[];
    /** Nothing reads or writes it if the grant has no refresh token. */
    readonly refreshToken: string;
    readonly accessToken: string;
  };
  /** Those of the credentials, in lower case, that an app setting allows the connection to use; others need a tag in the vault. */
  readonly allowedSecrets?: readonly string[];
  /** Addresses of the vaults, without a slash at the end. */
  readonly vaults: { readonly credential: string; readonly token: string };
  /** The connection string that is published beside the access token, where one is asked for. */
  readonly connectionString: ConnectionString | undefined;
  readonly behavior: TokenBehavior;
  /** Renew this long before expiry, in milliseconds; undefined: after two thirds of the lifetime. */
  readonly renewBeforeMs: number | undefined;
  /** The expiration date of secrets without a known end is this far away, in milliseconds; undefined: they get none. */
  readonly expirationHorizonMs?: number;
  /** May a published secret that the rotator did not make be overwritten? */
  readonly overwrite: boolean;
  /** Changes when the entry changes in a way that may clear a block. Holds no secret. */
  readonly fingerprint: string;
}

/** A connection string that is written anew with each rotation. */
export interface ConnectionString {
  /** The secret that it is published as. */
  readonly secret: string;
  /** Where it holds the refresh token and the client secret, its place is the credential vault; else the token vault. */
  readonly holds: 'accessToken' | 'refreshToken';
  readonly template: Template;
}

/** A secret that is written with each rotation for others to read. */
export interface PublishedSecret {
  /** Its name in the entry: `secrets.accessToken`. */
  readonly key: 'accessToken' | 'connectionString';
  /** Address of its vault. */
  readonly vault: string;
  readonly name: string;
}

/** What decides which secrets a connection publishes. */
type Publisher = Pick<Connection, 'secrets' | 'vaults' | 'connectionString'>;

/** The access token's secret. */
export function accessTokenSecret({ secrets, vaults }: Publisher): PublishedSecret {
  return { key: 'accessToken', vault: vaults.token, name: secrets.accessToken };
}

/** The connection string's secret, where one is asked for. */
export function connectionStringSecret({ connectionString, vaults }: Publisher): PublishedSecret | undefined {
  if (!connectionString) return undefined;
  const vault = connectionString.holds === 'refreshToken' ? vaults.credential : vaults.token;
  return { key: 'connectionString', vault, name: connectionString.secret };
}

/** All secrets that a connection publishes, in the order in which they are written. */
export function publishedSecrets(connection: Publisher): readonly PublishedSecret[] {
  const second = connectionStringSecret(connection);
  return second ? [accessTokenSecret(connection), second] : [accessTokenSecret(connection)];
}

/** A connection whose entry cannot be used; it is reported, and the others continue. */
export interface InvalidConnection {
  readonly name: string;
  readonly problem: Problem;
}

/** What the configuration says now. */
export interface Connections {
  readonly valid: readonly Connection[];
  readonly invalid: readonly InvalidConnection[];
  /** Why the configuration cannot be read any more; undefined: it can. These are then the last good ones. */
  readonly stale?: LastingProblem;
}

/** A secret that several connections use although the rotator writes it for one of them. */
export interface ContestedSecret {
  /** Address of the vault, without a slash at the end. */
  readonly vault: string;
  readonly name: string;
  /** Names of those connections. */
  readonly connections: readonly string[];
}

/** A problem that goes on. */
export interface LastingProblem extends Problem {
  /** Milliseconds since the epoch. */
  readonly since: number;
}

/** What a rotation brought and was made with; for showing it, masks. */
export interface ConnectionStringValues {
  readonly accessToken: string;
  readonly refreshToken: string;
  readonly clientId: string;
  readonly clientSecret: string;
}

/**
 * The connection string as it is published. What holds an access token never gets to hold a client secret or a refresh token.
 * @throws RotatorError `connection_string_unwritable` if its syntax cannot express a value
 */
export function renderConnectionString(
  { tokenUri, serviceUrl = '' }: Pick<Connection, 'tokenUri' | 'serviceUrl'>,
  { holds, template }: Pick<ConnectionString, 'holds' | 'template'>,
  { accessToken, ...secrets }: ConnectionStringValues,
): string {
  if (holds === 'accessToken') return fillIn(template, { serviceUrl, accessToken });
  return fillIn(template, { serviceUrl, tokenUri, ...secrets });
}

/** What the configuration has under a name. */
export type FoundConnection =
  | { readonly kind: 'valid'; readonly connection: Connection }
  | { readonly kind: 'invalid'; readonly entry: InvalidConnection }
  | {
      readonly kind: 'unknown';
      /** The name of the connection that differs from this one only in case; undefined if there is none. */
      readonly otherCase: string | undefined;
    };

/** Finds a connection by its name, which is case-sensitive. */
export function findConnection({ valid, invalid }: Connections, name: string): FoundConnection {
  const entry = invalid.find((each) => each.name === name);
  if (entry) return { kind: 'invalid', entry };
  const connection = valid.find((each) => each.name === name);
  if (connection) return { kind: 'valid', connection };
  const plain = name.toLowerCase();
  const similar = [...valid, ...invalid].find((each) => each.name.toLowerCase() === plain);
  return { kind: 'unknown', otherCase: similar?.name };
}

/**
 * The connection of that name.
 * @throws RotatorError `connection_unknown`, or the problem of its entry
 */
export function usableConnection(connections: Connections, name: string): Connection {
  const found = findConnection(connections, name);
  if (found.kind === 'valid') return found.connection;
  throw found.kind === 'invalid'
    ? new RotatorError(found.entry.problem)
    : unknownConnection(name, found.otherCase);
}
