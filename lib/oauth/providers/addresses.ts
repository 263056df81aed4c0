import type { Beside, ProviderProfile, SignInEndpoints } from './profile.ts';

/** The settings of a configuration entry that fill the templates of a profile. */
export interface ProfileEntry {
  /** What the profile's `tenant` says: a directory, a subdomain or a host. */
  readonly tenant?: string | undefined;
  /** Address of the resource, an absolute URL. */
  readonly serviceUrl?: string | undefined;
  /** Space-separated scopes (RFC 6749 section 3.3). */
  readonly scope?: string | undefined;
}

/** The token endpoint, if it follows from the entry; undefined if the entry must name it. */
export function tokenUriOf(
  { tokenUri, tenant: rule }: ProviderProfile,
  { tenant = rule?.otherwise }: ProfileEntry,
): string | undefined {
  return tokenUri === undefined ? undefined : fill(tokenUri, { tenant });
}

/**
 * The parameters that are sent with each token request unless the entry sets others.
 * @throws TypeError if `serviceUrl` is not an absolute URL
 */
export function parametersOf(
  { scope: usual, addedScopes = [], parameters }: ProviderProfile,
  { scope, serviceUrl }: ProfileEntry,
): Record<string, string> {
  const serviceOrigin = serviceUrl === undefined ? undefined : new URL(serviceUrl).origin;
  const named = scope || (usual === undefined ? undefined : fill(usual, { serviceOrigin }));
  return { ...parameters, ...(named !== undefined && { scope: withScopes(named, addedScopes) }) };
}

/** The scopes, and after them those of the others that are missing. */
export function withScopes(scope: string, others: readonly string[]): string {
  const scopes = scope.split(/\s+/).filter((each) => each !== '');
  return [...scopes, ...others.filter((each) => !scopes.includes(each))].join(' ');
}

/** The revocation endpoint (RFC 7009) that belongs to a token endpoint of this provider, if it has one. */
export function revocationUriOf(profile: ProviderProfile, tokenUri: string): string | undefined {
  return beside(profile, tokenUri, profile.revocationUri);
}

/** The endpoints of a sign-in that belong to a token endpoint of this provider. */
export function signInEndpointsOf(profile: ProviderProfile, tokenUri: string): SignInEndpoints {
  const authorizationEndpoint = beside(profile, tokenUri, profile.signIn.authorizationUri);
  const deviceEndpoint = beside(profile, tokenUri, profile.signIn.deviceUri);
  return {
    ...(authorizationEndpoint !== undefined && { authorizationEndpoint }),
    ...(deviceEndpoint !== undefined && { deviceEndpoint }),
  };
}

/** Is the host one of this provider? A host that the profile does not name, as a placeholder or not at all, is not. */
export function hasHost({ tokenUri, hosts = [] }: ProviderProfile, address: string): boolean {
  const url = URL.parse(address);
  if (url?.protocol !== 'https:') return false;
  const host = tokenUri?.split('/')[2] ?? '';
  return hosts.includes(url.host) || (!/^(\{\w+\})?$/.test(host) && pattern(host).test(url.host));
}

/** Does the address have the profile's path below one of its hosts? */
export function isTokenUriOf({ tokenUri, hosts = [] }: ProviderProfile, address: string): boolean {
  const all = tokenUri === undefined ? [] : [tokenUri, ...hosts.map((host) => onHost(tokenUri, host))];
  return all.some((each) => pattern(each).test(address));
}

/** The endpoint of the profile, other than the token endpoint, that an address is: a noun; undefined if it is another address. */
export function otherEndpoint(profile: ProviderProfile, address: string): string | undefined {
  const { revocationUri, signIn } = profile;
  const { origin, pathname } = new URL(address);
  const ends = (uri: string) =>
    uri.startsWith('/')
      ? pathname.endsWith(uri) && !tokenPathOf(profile).endsWith(uri)
      : pattern(uri).test(origin + pathname);
  const endpoints = [
    ['authorization endpoint', signIn.authorizationUri],
    ['device endpoint', signIn.deviceUri],
    ['revocation endpoint', revocationUri],
  ] as const;
  return endpoints.find(([, uri]) => uri !== undefined && ends(uri))?.[0];
}

function onHost(tokenUri: string, host: string): string {
  return tokenUri.replace(/^(https:\/\/)[^/]+/, (_, scheme: string) => scheme + host);
}

function beside(profile: ProviderProfile, tokenUri: string, address: Beside | undefined): string | undefined {
  if (address === undefined) return undefined;
  if (address.startsWith('/')) return withPath(tokenUri, tokenPathOf(profile), address);
  const found = profile.tokenUri === undefined ? undefined : pattern(profile.tokenUri).exec(tokenUri);
  return found ? fill(address, { tenant: found.groups?.tenant }) : undefined;
}

function tokenPathOf({ tokenPath, tokenUri = '' }: ProviderProfile): string {
  if (tokenPath !== undefined) return tokenPath;
  const afterPlaceholders = /\}([^}]*)$/.exec(tokenUri)?.[1] ?? tokenUri.replace(/^https:\/\//, '');
  return afterPlaceholders.slice(afterPlaceholders.indexOf('/'));
}

function withPath(tokenUri: string, tokenPath: string, otherPath: string): string | undefined {
  const url = URL.parse(tokenUri);
  if (!url?.pathname.endsWith(tokenPath) || url.search !== '') return undefined;
  return `${url.origin}${url.pathname.slice(0, -tokenPath.length)}${otherPath}`;
}

/** @returns undefined if a value is missing */
function fill(template: string, values: Readonly<Record<string, string | undefined>>): string | undefined {
  let isComplete = true;
  const filled = template.replace(/\{(\w+)\}/g, (_, name: string) => {
    const value = values[name];
    if (value === undefined) isComplete = false;
    // An origin is an address already; a tenant becomes a part of one.
    return name === 'tenant' ? encodeURIComponent(value ?? '') : (value ?? '');
  });
  return isComplete ? filled : undefined;
}

/** Matches what a template can become, and names the values of its placeholders. */
function pattern(template: string): RegExp {
  const parts = template.split(/(\{\w+\})/).map((part, index, all) => {
    const name = /^\{(\w+)\}$/.exec(part)?.[1];
    if (name === undefined) return part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
    return all.indexOf(part) < index ? `\\k<${name}>` : `(?<${name}>[^/?#]+)`;
  });
  return new RegExp(`^${parts.join('')}$`);
}
