import { addressIn } from '../connectionString/attributes.ts';
import {
  type ProviderProfile,
  parametersOf as profileParameters,
  providers,
  revocationUriOf,
  tokenUriOf,
} from '../oauth/providers/index.ts';
import {
  type ClientAuthentication,
  type ClientKey,
  type Connection,
  EXCHANGE_AUDIENCE,
  type ResponseFacts,
  type TokenBehavior,
  usesClientSecret,
} from '../rotation/core/connection.ts';
import { defaultSecretName } from '../secretNames.ts';
import { type AddressRules, readAddress, readOrigin } from './address.ts';
import type { ConnectionEntry } from './connectionSchema.ts';
import { fixOf } from './explainIssue.ts';
import type { Finding } from './findings.ts';
import { fingerprintOf, type Unmarked } from './fingerprint.ts';
import { resolveConnectionString } from './resolvePublish.ts';
import type { Limits } from './settings.ts';

/** The settings that resolving an entry needs. */
export interface ConfigurationContext {
  /** Default vaults, without a slash at the end. */
  readonly credentialVaultUrl: string;
  readonly tokenVaultUrl: string;
  /** May an address be plain http if its host is this machine? */
  readonly allowLoopbackHttp: boolean;
  readonly limits?: Limits;
}

/** Either the connection or the problems with its entry. */
export type Resolved =
  | { readonly connection: Connection; readonly findings?: undefined }
  | { readonly connection?: undefined; readonly findings: readonly Finding[] };

/** Records a problem with the part of the entry at `path`. */
type Complain = (path: readonly string[], cause: string) => void;

/** Fills in every default of an entry and checks what the schema cannot check. */
export function resolveEntry(name: string, entry: ConnectionEntry, context: ConfigurationContext): Resolved {
  const findings: Finding[] = [];
  const at = `connections.${name}`;
  const complain: Complain = (path, cause) =>
    findings.push({ where: [at, ...path].join('.'), cause, fix: fixOf(at, path), within: path });
  checkCombinations(entry, complain);
  checkClient(entry, methodOf(entry), complain);
  if (entry.grant === 'client_credentials') checkGrant(entry, complain);
  if (methodOf(entry) === 'managed_identity_federation') checkFederation(entry, context, complain);
  const resolved = connectionOf(name, entry, context, complain);
  if (resolved) findings.push(...beyondLimits(at, resolved, context));
  if (!resolved || findings.length > 0) return { findings };
  return { connection: { ...resolved, fingerprint: fingerprintOf(resolved) } };
}

/** Where the entry sends secrets although an app setting does not allow it. */
function beyondLimits(
  at: string,
  { tokenUri, revocationUri = tokenUri, vaults }: Unmarked,
  { credentialVaultUrl, tokenVaultUrl, limits = {} }: ConfigurationContext,
): Finding[] {
  const isAllowed = (address: string) => {
    const host = URL.parse(address)?.hostname ?? '';
    return limits.tokenHosts?.some((pattern) =>
      pattern.startsWith('*.') ? host.endsWith(pattern.slice(1)) : host === pattern,
    );
  };
  const finding = (where: string, setting: string): Finding => ({
    where: `${at}.${where}`,
    cause: `is not among those that the app setting ${setting} allows`,
    fix: `Add it to ${setting}, or correct ${at}.${where}.`,
    within: where.split('.'),
  });
  const endpoints = { tokenUri, revocationUri };
  const refused = (['tokenUri', 'revocationUri'] as const).find(
    (key) => limits.tokenHosts && !isAllowed(endpoints[key]),
  );
  const known = [credentialVaultUrl, tokenVaultUrl, ...(limits.vaults ?? [])];
  return [
    ...(refused ? [finding(refused, 'ALLOWED_TOKEN_HOSTS')] : []),
    ...(['credential', 'token'] as const)
      .filter((key) => limits.vaults && !known.includes(vaults[key]))
      .map((key) => finding(`vaults.${key}`, 'ALLOWED_VAULTS')),
  ];
}

function allowedBySetting(
  { clientId, clientSecrets, refreshToken }: Connection['secrets'],
  keys: readonly ClientKey[],
  { secrets: allowed = [] }: Limits = {},
): Pick<Connection, 'allowedSecrets'> {
  const keyNames = keys.map(({ name }) => name);
  const names = [clientId, ...clientSecrets, ...keyNames, refreshToken].map((name) => name.toLowerCase());
  const found = names.filter((name) => allowed.includes('*') || allowed.includes(name));
  return found.length === 0 ? {} : { allowedSecrets: found };
}

/** Undefined only if there is a finding. */
function connectionOf(
  name: string,
  entry: ConnectionEntry,
  context: ConfigurationContext,
  complain: Complain,
): Unmarked | undefined {
  const profile: ProviderProfile = providers[entry.provider];
  const serviceUrl = readServiceUrl(entry, context, complain);
  const tokenUri = readTokenUri(entry, profile, context, complain);
  const revocationUri = readRevocationUri(entry, tokenUri, context, complain);
  const vaults = readVaults(entry, context, complain);
  const clientAuthentication = methodOf(entry);
  const secrets = secretNames(name, entry);
  const clientKeys = clientAuthentication === 'private_key_jwt' ? clientKeysOf(name, entry) : [];
  const behavior = behaviorOf(entry, profile);
  const { grant } = entry;
  const connectionString = resolveConnectionString(name, entry, behavior, complain);
  const missing = missingNeeds(entry, profile);
  for (const need of missing)
    complain(need.split('.'), `is missing; the provider ${entry.provider} needs it`);
  if (!tokenUri || missing.length > 0 || (entry.serviceUrl && !serviceUrl)) return undefined;
  return {
    name,
    provider: entry.provider,
    enabled: entry.enabled,
    tokenUri,
    ...(revocationUri !== undefined && { revocationUri }),
    serviceUrl,
    allowPrivateNetwork: entry.allowPrivateNetwork,
    clientId: entry.clientId,
    ...(grant === 'client_credentials' && { grant }),
    clientAuthentication,
    ...(clientKeys.length > 0 && { clientKeys }),
    ...(entry.clientAssertionAudience !== undefined && { assertionAudience: entry.clientAssertionAudience }),
    parameters: parametersOf(entry, profile, serviceUrl),
    secrets,
    ...allowedBySetting(secrets, clientKeys, context.limits),
    vaults,
    connectionString,
    behavior,
    renewBeforeMs: entry.renewBefore === undefined ? undefined : toMs(entry.renewBefore),
    ...(entry.expirationHorizon !== undefined && { expirationHorizonMs: toMs(entry.expirationHorizon) }),
    overwrite: entry.overwrite,
  };
}

/** What the profile needs and the entry does not name, as paths inside the entry. */
function missingNeeds(entry: ConnectionEntry, profile: ProviderProfile): string[] {
  const isNamed = (need: string) =>
    need === 'serviceUrl'
      ? entry.serviceUrl !== undefined
      : Object.hasOwn(entry.parameters ?? {}, need.replace(/^parameters\./, ''));
  const needs = (profile.needs ?? []).filter((need) => !isNamed(need));
  const isTenantMissing =
    entry.grant === 'client_credentials' && profile.tenant !== undefined && entry.tenant === undefined;
  const hasOwn = !isTenantMissing && tokenUriOf(profile, entry) !== undefined;
  return entry.tokenUri !== undefined || hasOwn
    ? needs
    : [profile.tokenUri === undefined ? 'tokenUri' : 'tenant', ...needs];
}

/** Settings that are valid alone but not together. */
function checkCombinations(entry: ConnectionEntry, complain: Complain): void {
  const { clientId, secrets, parameters, renewBefore, accessTokenLifetime } = entry;
  if (clientId !== undefined && secrets?.clientId !== undefined) {
    complain(['secrets', 'clientId'], 'conflicts with clientId; set only one');
  }
  for (const name of ['scope', 'resource'] as const) {
    const twice = entry[name] !== undefined && parameters !== undefined && Object.hasOwn(parameters, name);
    if (twice) complain([name], `conflicts with parameters.${name}; set only one`);
  }
  if (renewBefore !== undefined && accessTokenLifetime !== undefined && renewBefore >= accessTokenLifetime) {
    complain(['renewBefore'], 'is not less than accessTokenLifetime, so the token would always be renewed');
  }
}

function methodOf({ clientAuthentication, provider }: ConnectionEntry): ClientAuthentication {
  return clientAuthentication ?? providers[provider].clientAuthentication;
}

/** Settings of the client that do not fit its authentication. */
function checkClient(entry: ConnectionEntry, method: ClientAuthentication, complain: Complain): void {
  const { secrets, clientKey, clientAssertionAudience: audience, emptyClientSecret, publish } = entry;
  const unused = `has no effect with the client authentication ${method}`;
  const sendsSecret = usesClientSecret(method);
  if (clientKey !== undefined && method !== 'private_key_jwt') complain(['clientKey'], unused);
  for (const { secret, key, certificate } of [clientKey ?? []].flat())
    if ([secret, key, certificate].filter((each) => each !== undefined).length !== 1)
      complain(['clientKey'], 'names not exactly one of secret, key and certificate');
  const makesAssertion = method === 'private_key_jwt' || method === 'managed_identity_federation';
  if (audience !== undefined && !makesAssertion) complain(['clientAssertionAudience'], unused);
  if (audience !== undefined && method === 'managed_identity_federation' && !EXCHANGE_AUDIENCE.test(audience))
    complain(['clientAssertionAudience'], 'is not that of a token exchange (api://AzureADTokenExchange...)');
  if (emptyClientSecret && !sendsSecret) complain(['emptyClientSecret'], unused);
  if (secrets?.clientSecret !== undefined && !sendsSecret) complain(['secrets', 'clientSecret'], unused);
  if (secrets?.clientSecret !== undefined && emptyClientSecret)
    complain(['secrets', 'clientSecret'], 'conflicts with emptyClientSecret; set only one');
  if (publish?.connectionString === 'refreshToken' && (!sendsSecret || emptyClientSecret))
    complain(['publish', 'connectionString'], 'contains a client secret, and the client has none');
}

/**
 * The token of the identity opens every application that trusts it, for a day. So it goes only to the provider of the profile, or to a
 * host that an app setting names, which the author of the file cannot change.
 */
function checkFederation(
  { tokenUri }: ConnectionEntry,
  { allowLoopbackHttp, limits = {} }: ConfigurationContext,
  complain: Complain,
): void {
  if (tokenUri === undefined || limits.tokenHosts || allowLoopbackHttp) return;
  complain(
    ['tokenUri'],
    'needs its host in the app setting ALLOWED_TOKEN_HOSTS, because it gets a token of the managed identity',
  );
}

/** Settings that have no meaning without a refresh token. */
function checkGrant(entry: ConnectionEntry, complain: Complain): void {
  const unused = 'has no effect with the grant client_credentials, which has no refresh token';
  if (entry.secrets?.refreshToken !== undefined) complain(['secrets', 'refreshToken'], unused);
  for (const key of ['revocationUri', 'refreshTokenGrace'] as const)
    if (entry[key] !== undefined) complain([key], unused);
  if (methodOf(entry) === 'none')
    complain(
      ['clientAuthentication'],
      'proves no identity, and the grant client_credentials needs a proof (RFC 6749 section 4.4)',
    );
  if (entry.publish?.connectionString === 'refreshToken')
    complain(
      ['publish', 'connectionString'],
      'contains a refresh token, and the grant client_credentials has none',
    );
}

function clientKeysOf(name: string, { clientKey }: ConnectionEntry): readonly ClientKey[] {
  const keys = [clientKey ?? { secret: defaultSecretName(name, 'clientKey') }].flat();
  return keys.flatMap(({ algorithm, keyId, ...places }) => {
    const more = { ...(algorithm && { algorithm }), ...(keyId !== undefined && { keyId }) };
    return (['secret', 'key', 'certificate'] as const).flatMap((kind) => {
      const found = places[kind];
      return found === undefined ? [] : [{ kind, name: found, ...more }];
    });
  });
}

function readTokenUri(
  entry: ConnectionEntry,
  profile: ProviderProfile,
  { allowLoopbackHttp }: ConfigurationContext,
  complain: Complain,
): string | undefined {
  const text = entry.tokenUri === undefined ? tokenUriOf(profile, entry) : addressIn(entry.tokenUri);
  if (text === undefined) return undefined;
  return readUrl(text, 'tokenUri', { allowLoopbackHttp }, complain);
}

function readRevocationUri(
  { provider, grant, revocationUri }: ConnectionEntry,
  tokenUri: string | undefined,
  { allowLoopbackHttp }: ConfigurationContext,
  complain: Complain,
): string | undefined {
  if (revocationUri !== undefined)
    return readUrl(revocationUri, 'revocationUri', { allowLoopbackHttp }, complain);
  if (grant === 'client_credentials') return undefined;
  return tokenUri === undefined ? undefined : revocationUriOf(providers[provider], tokenUri);
}

function readServiceUrl(
  entry: ConnectionEntry,
  { allowLoopbackHttp }: ConfigurationContext,
  complain: Complain,
): string | undefined {
  if (entry.serviceUrl === undefined) return undefined;
  return readUrl(entry.serviceUrl, 'serviceUrl', { allowLoopbackHttp, query: false }, complain);
}

function readUrl(text: string, key: string, rules: AddressRules, complain: Complain): string | undefined {
  const { url, cause } = readAddress(text, rules);
  if (cause !== undefined) complain([key], cause);
  return url?.href;
}

function readVaults(
  { vaults = {} }: ConnectionEntry,
  context: ConfigurationContext,
  complain: Complain,
): Connection['vaults'] {
  const read = (key: 'credential' | 'token', fallback: string): string => {
    const text = vaults[key];
    if (text === undefined) return fallback;
    const result = readOrigin(text, context.allowLoopbackHttp);
    if (result.cause === undefined) return result.origin;
    complain(['vaults', key], result.cause);
    return fallback;
  };
  return {
    credential: read('credential', context.credentialVaultUrl),
    token: read('token', context.tokenVaultUrl),
  };
}

/** In the order of their names, so that the order in the file does not affect the fingerprint. */
function parametersOf(
  { grant, scope, resource, parameters }: ConnectionEntry,
  profile: ProviderProfile,
  serviceUrl: string | undefined,
): Record<string, string> {
  const own = profileParameters(profile, { serviceUrl, scope });
  const all = {
    ...(grant === 'client_credentials' ? withoutOfflineAccess(own) : own),
    ...(resource === undefined ? {} : { resource }),
    ...parameters,
  };
  return Object.fromEntries(Object.entries(all).sort(([one], [other]) => (one < other ? -1 : 1)));
}

/** The scope asks for a refresh token (OpenID Connect Core section 11), and the grant has none. */
function withoutOfflineAccess({ scope, ...others }: Record<string, string>): Record<string, string> {
  const scopes = (scope ?? '').split(/\s+/).filter((each) => each !== '' && each !== 'offline_access');
  return { ...others, ...(scopes.length > 0 && { scope: scopes.join(' ') }) };
}

function secretNames(name: string, entry: ConnectionEntry): Connection['secrets'] {
  const { secrets = {}, emptyClientSecret } = entry;
  const hasSecret = usesClientSecret(methodOf(entry)) && !emptyClientSecret;
  const clientSecrets = [secrets.clientSecret ?? defaultSecretName(name, 'clientSecret')].flat();
  return {
    clientId: secrets.clientId ?? defaultSecretName(name, 'clientId'),
    clientSecrets: hasSecret ? clientSecrets : [],
    refreshToken: secrets.refreshToken ?? defaultSecretName(name, 'refreshToken'),
    accessToken: secrets.accessToken ?? defaultSecretName(name, 'accessToken'),
  };
}

/** The behavior in the profile, unless the entry overrides it. */
function behaviorOf(entry: ConnectionEntry, { behavior }: ProviderProfile): TokenBehavior {
  const { grant, refreshTokenGrace: grace, accessTokenLifetime: lifetime, requestFormat, response } = entry;
  const { refreshTokenIdleMs: _, refreshTokenAbsoluteMs: _absolute, ...withoutToken } = behavior;
  return {
    // A request without a refresh token can be repeated at any time.
    ...(grant === 'client_credentials'
      ? { ...withoutToken, refreshTokenGraceMs: Number.POSITIVE_INFINITY }
      : behavior),
    ...(grace !== undefined && { refreshTokenGraceMs: toMs(grace) }),
    ...(lifetime !== undefined && { defaultExpiresInMs: toMs(lifetime) }),
    ...(requestFormat !== undefined && { requestFormat }),
    ...(response && { response: { ...behavior.response, ...factsOf(response) } }),
  };
}

function factsOf({ expiresInUnit: unit, ...facts }: NonNullable<ConnectionEntry['response']>): ResponseFacts {
  const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
  return { ...known, ...(unit && { expiresInUnit: unit === 'seconds' ? 's' : 'ms' }) };
}

function toMs(seconds: number | 'unlimited'): number {
  return seconds === 'unlimited' ? Number.POSITIVE_INFINITY : Math.ceil(seconds * 1000);
}
