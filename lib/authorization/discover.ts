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

/** What is known about an authorization server before its metadata is read. */
export interface ServerHints {
  /** Its issuer identifier. */
  readonly issuer?: string | undefined;
  /** The token endpoint of the configuration. Secrets go to no other address. */
  readonly tokenEndpoint?: string | undefined;
  readonly authorizationEndpoint?: string | undefined;
  readonly deviceEndpoint?: string | undefined;
}

/** Where requests may go, and when to stop. */
export interface Rules {
  readonly allowLoopbackHttp: boolean;
  /** Default: false. */
  readonly allowPrivateNetwork?: boolean;
  readonly signal: AbortSignal;
}

/** The two locations of metadata: OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3. */
const PLACES = ['oidc', 'oauth2'] as const;

/**
 * The endpoints of an authorization server: the given ones, otherwise those from its metadata. If only the token endpoint is
 * known, the search for the issuer follows its path, and accepts only metadata that names the same token endpoint. Metadata cannot
 * have the client secret sent to an origin that the user, a profile or the issuer's own address did not name.
 * @throws RotatorError `configuration_invalid` if the issuer or the token endpoint is not a valid address, `authorization_failed`, `interrupted` by
 *   the signal
 */
export async function discoverServer(hints: ServerHints, rules: Rules): Promise<AuthorizationServer> {
  const { issuer, tokenEndpoint, authorizationEndpoint, deviceEndpoint } = hints;
  const { allowLoopbackHttp } = rules;
  const { cause } = readAddress(tokenEndpoint ?? '', { allowLoopbackHttp });
  if (tokenEndpoint !== undefined && cause) throw wrongAddress('token endpoint', '--token-uri', cause);
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
  if (!found?.token_endpoint) throw notFound(issuer, tokenEndpoint);
  if (tokenEndpoint === undefined) refuseOtherOrigin(found.issuer, found.token_endpoint);
  // The client secret goes to these as well.
  const { device_authorization_endpoint: device, revocation_endpoint: revocation, ...others } = found;
  const isBeside = (address = '') => sameOrigin(address, found.token_endpoint ?? '');
  return {
    ...others,
    ...(device !== undefined && isBeside(device) && { device_authorization_endpoint: device }),
    ...(revocation !== undefined && isBeside(revocation) && { revocation_endpoint: revocation }),
    ...given,
  };
}

/** The client secret goes to the token endpoint. Metadata may send it elsewhere only if the user names the address. */
function refuseOtherOrigin(issuer: string, tokenEndpoint: string): void {
  if (sameOrigin(issuer, tokenEndpoint)) return;
  throw new RotatorError({
    code: 'authorization_failed',
    message: `The metadata of ${URL.parse(issuer)?.host} names a token endpoint on another host: ${URL.parse(tokenEndpoint)?.host ?? 'its address is not valid'}. Nothing was sent.`,
    fix: "Compare the host with the provider's documentation. If it is right, set --token-uri to that address.",
  });
}

/** The addresses above a token endpoint such as `https://host/oauth2/default/v1/token`, the longest one first. */
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
      const server = await readMetadata(issuer, algorithm, rules);
      if (!server?.token_endpoint) continue;
      if (tokenEndpoint === undefined || sameAddress(server.token_endpoint, tokenEndpoint)) return server;
      if (issuers.length === 1) throw otherEndpoint(issuer, tokenEndpoint);
    }
  }
  return undefined;
}

/** @returns undefined if that location has no metadata, or metadata of another issuer */
async function readMetadata(
  issuer: string,
  algorithm: (typeof PLACES)[number],
  rules: Rules,
): Promise<AuthorizationServer | undefined> {
  const { allowLoopbackHttp } = rules;
  const { url, cause } = readAddress(issuer, { allowLoopbackHttp, query: false });
  if (!url) throw wrongAddress('issuer', '--issuer', cause);
  try {
    const options = { algorithm, [customFetch]: limitedFetch(rules), ...insecure(url) };
    return await processDiscoveryResponse(url, await discoveryRequest(url, options));
  } catch {
    return undefined;
  }
}

function sameAddress(one: string, other: string): boolean {
  return URL.parse(one)?.href === URL.parse(other)?.href;
}

function sameOrigin(one: string, other: string): boolean {
  const origin = URL.parse(one)?.origin;
  return origin !== undefined && origin === URL.parse(other)?.origin;
}

/** The library refuses all http. `readAddress` has already checked which http is allowed. */
function insecure(url: URL): { [allowInsecureRequests]?: true } {
  return url.protocol === 'http:' ? { [allowInsecureRequests]: true } : {};
}

function wrongAddress(what: string, option: string, cause: string): RotatorError {
  return new RotatorError({
    code: 'configuration_invalid',
    message: `The address of the ${what} ${cause}.`,
    fix: `Set ${option} to the address that the provider documents: https://HOST/PATH.`,
  });
}

function otherEndpoint(issuer: string, tokenEndpoint: string): RotatorError {
  return new RotatorError({
    code: 'authorization_failed',
    message: `The metadata of ${issuer} names another token endpoint than the connection, whose host is ${URL.parse(tokenEndpoint)?.host}.`,
    fix: 'Set --issuer to the issuer of the tokenUri of the connection, or correct tokenUri.',
  });
}

function notFound(issuer: string | undefined, tokenEndpoint: string | undefined): RotatorError {
  const host = URL.parse(issuer ?? tokenEndpoint ?? '')?.host;
  const first = issuer === undefined ? 'Set --issuer' : 'Check --issuer';
  return new RotatorError({
    code: 'authorization_failed',
    message: `Could not find the metadata of an authorization server${host === undefined ? '' : ` for ${host}`}.`,
    fix: `${first}, or set --token-uri and --authorization-endpoint (with --device: --device-endpoint).`,
  });
}
