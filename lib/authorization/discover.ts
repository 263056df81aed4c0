import {
  type AuthorizationServer,
  allowInsecureRequests,
  customFetch,
  discoveryRequest,
  processDiscoveryResponse,
} from 'oauth4webapi';
import { readAddress } from '../config/address.ts';
import { RotatorError } from '../errors.ts';
import { limitedFetch } from './limitedFetch.ts';

/** The endpoints of an authorization server, as its metadata names them. */
export type Server = AuthorizationServer;

/** What is known about an authorization server before it is asked. */
export interface ServerHints {
  /** Its issuer identifier. */
  readonly issuer?: string | undefined;
  /** The token endpoint of the configuration: secrets go nowhere else. */
  readonly tokenEndpoint?: string | undefined;
  readonly authorizationEndpoint?: string | undefined;
  readonly deviceEndpoint?: string | undefined;
}

/** May be plain http to this machine, and when to stop. */
export interface Rules {
  readonly allowLoopbackHttp: boolean;
  readonly signal: AbortSignal;
}

/** The two places of metadata: OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3. */
const PLACES = ['oidc', 'oauth2'] as const;

/**
 * The endpoints of an authorization server: as given, else from its metadata. Where only the token endpoint is known, the
 * server's issuer is looked for along its path, and only metadata that names the same token endpoint counts.
 * @throws RotatorError `configuration_invalid` for an issuer that is no address, `authorization_failed`, `interrupted` by the signal
 */
export async function discoverServer(hints: ServerHints, rules: Rules): Promise<AuthorizationServer> {
  const { issuer, tokenEndpoint, authorizationEndpoint, deviceEndpoint } = hints;
  const given = {
    ...(tokenEndpoint !== undefined && { token_endpoint: tokenEndpoint }),
    ...(authorizationEndpoint !== undefined && { authorization_endpoint: authorizationEndpoint }),
    ...(deviceEndpoint !== undefined && { device_authorization_endpoint: deviceEndpoint }),
  };
  const named = authorizationEndpoint ?? deviceEndpoint;
  if (tokenEndpoint && named) return { issuer: issuer ?? new URL(tokenEndpoint).origin, ...given };
  const found = await search(
    issuer === undefined ? candidates(tokenEndpoint) : [issuer],
    tokenEndpoint,
    rules,
  );
  if (found) return { ...found, ...given };
  throw notFound(issuer, tokenEndpoint);
}

/** From `https://host/oauth2/default/v1/token`: the path without its last parts, the longest first. */
function candidates(tokenEndpoint: string | undefined): string[] {
  const url = tokenEndpoint === undefined ? null : URL.parse(tokenEndpoint);
  if (!url) return [];
  const parts = url.pathname.split('/').filter(Boolean);
  return parts.map((_, dropped) => [url.origin, ...parts.slice(0, parts.length - 1 - dropped)].join('/'));
}

async function search(
  issuers: readonly string[],
  tokenEndpoint: string | undefined,
  rules: Rules,
): Promise<AuthorizationServer | undefined> {
  for (const issuer of issuers) {
    for (const algorithm of PLACES) {
      const server = await ask(issuer, algorithm, rules);
      if (!server?.token_endpoint) continue;
      if (tokenEndpoint === undefined || sameAddress(server.token_endpoint, tokenEndpoint)) return server;
      if (issuers.length === 1) throw otherEndpoint(issuer, tokenEndpoint);
    }
  }
  return undefined;
}

/** Undefined where there is no metadata at that place, or none of that issuer. */
async function ask(
  issuer: string,
  algorithm: (typeof PLACES)[number],
  { allowLoopbackHttp, signal }: Rules,
): Promise<AuthorizationServer | undefined> {
  const { url, cause } = readAddress(issuer, { allowLoopbackHttp, query: false });
  if (!url) throw wrongIssuer(cause);
  try {
    const options = { algorithm, [customFetch]: limitedFetch(allowLoopbackHttp, signal), ...insecure(url) };
    return await processDiscoveryResponse(url, await discoveryRequest(url, options));
  } catch {
    return undefined;
  }
}

function sameAddress(one: string, other: string): boolean {
  return URL.parse(one)?.href === URL.parse(other)?.href;
}

/** The library refuses http altogether; which http is allowed is checked before. */
function insecure(url: URL): { [allowInsecureRequests]?: true } {
  return url.protocol === 'http:' ? { [allowInsecureRequests]: true } : {};
}

function wrongIssuer(cause: string): RotatorError {
  return new RotatorError({
    code: 'configuration_invalid',
    message: `The address of the issuer ${cause}.`,
    fix: 'Give --issuer as the provider names it: https://HOST/PATH.',
  });
}

function otherEndpoint(issuer: string, tokenEndpoint: string): RotatorError {
  return new RotatorError({
    code: 'authorization_failed',
    message: `${issuer} names another token endpoint than the connection, which has ${URL.parse(tokenEndpoint)?.host}.`,
    fix: 'Give the issuer that belongs to the tokenUri of the connection, or correct the tokenUri.',
  });
}

function notFound(issuer: string | undefined, tokenEndpoint: string | undefined): RotatorError {
  const host = URL.parse(issuer ?? tokenEndpoint ?? '')?.host;
  const first = issuer === undefined ? 'Give --issuer' : 'Check the issuer';
  return new RotatorError({
    code: 'authorization_failed',
    message: `No metadata of an authorization server was found${host === undefined ? '' : ` for ${host}`}.`,
    fix: `${first}, or give --token-uri with --authorization-endpoint (for --device: --device-endpoint).`,
  });
}
