import { addressIn } from '../connectionString/attributes.ts';
import { isLoopback } from '../loopback.ts';
import {
  otherEndpoint,
  type ProviderProfile,
  parametersOf as profileParameters,
  revocationUriOf,
  tokenUriOf,
} from '../oauth/providers/index.ts';
import { statedBehavior } from '../oauth/providers/ownProfile.ts';
import {
  type ClientAuthentication,
  type ClientKey,
  type Connection,
  EXCHANGE_AUDIENCE,
  type TokenBehavior,
  usesClientSecret,
} from '../rotation/core/connection.ts';
import { defaultSecretName } from '../secretNames.ts';
import { type AddressRules, readAddress, readOrigin } from './address.ts';
import type { ConnectionEntry } from './connectionSchema.ts';
import { contradictions } from './contradictions.ts';
import { fixOf, joinPath, toRemove } from './explainIssue.ts';
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

/** Records a problem with the part of the entry at `path`. The fix, a text or made from that place, is to set it if no other is given. */
type Complain = (
  path: readonly PropertyKey[],
  cause: string,
  fix?: string | ((where: string) => string),
) => void;

/** An entry, and the profile that it names. */
export interface ProfiledEntry {
  readonly entry: ConnectionEntry;
  readonly profile: ProviderProfile;
}

/** Fills in every default of an entry and checks what the schema cannot check. */
export function resolveEntry(name: string, profiled: ProfiledEntry, context: ConfigurationContext): Resolved {
  const { entry } = profiled;
  const findings: Finding[] = [];
  const at = `connections.${name}`;
  const complain: Complain = (path, cause, fix) => {
    const where = joinPath(at, path);
    const chosen = typeof fix === 'function' ? fix(where) : (fix ?? fixOf(at, path));
    findings.push({ where, cause, fix: chosen, within: path });
  };
  checkCombinations(profiled, complain);
  checkClient(profiled, complain);
  if (entry.grant === 'client_credentials') checkGrant(profiled, complain);
  const resolved = connectionOf(name, profiled, context, complain);
  checkFederation(profiled, context, complain);
  if (resolved) checkAssertion(resolved, complain);
  if (resolved) findings.push(...beyondLimits(at, resolved, context));
  if (!resolved || findings.length > 0) return { findings };
  return { connection: { ...resolved, fingerprint: fingerprintOf(resolved) } };
}

/** Where the entry sends secrets although an app setting does not allow it. */
function beyondLimits(
  at: string,
  { tokenUri, revocationUri = tokenUri, vaults }: Unmarked,
  { credentialVaultUrl, tokenVaultUrl, allowLoopbackHttp, limits = {} }: ConfigurationContext,
): Finding[] {
  const isAllowed = (address: string) => {
    const url = new URL(address);
    // Servers on this machine have any free port.
    const host = allowLoopbackHttp && isLoopback(url.hostname) ? url.hostname : url.host;
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
  { entry, profile }: ProfiledEntry,
  context: ConfigurationContext,
  complain: Complain,
): Unmarked | undefined {
  const serviceUrl = readServiceUrl(entry, context, complain);
  checkTenant({ entry, profile }, complain);
  const tokenUri = readTokenUri({ entry, profile }, context, complain);
  const revocationUri = readRevocationUri({ entry, profile }, tokenUri, context, complain);
  const vaults = readVaults(entry, context, complain);
  const clientAuthentication = methodOf({ entry, profile });
  const secrets = secretNames(name, entry, clientAuthentication);
  const clientKeys = clientAuthentication === 'private_key_jwt' ? clientKeysOf(name, entry) : [];
  const { grant } = entry;
  const stated = statedBehavior(profile.behavior, entry);
  const behavior = grant === 'client_credentials' ? withoutRefreshToken(stated) : stated;
  const connectionString = resolveConnectionString(name, entry, behavior, complain);
  const missing = missingNeeds(entry, profile);
  for (const need of missing) {
    const cause = `is missing; the provider ${entry.provider} needs it`;
    complain(need.split('.'), cause, fixOfNeed(need, profile));
  }
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
  const hasScope = entry.scope !== undefined || Object.hasOwn(entry.parameters ?? {}, 'scope');
  const usesService = !hasScope && profile.scope?.includes('{serviceOrigin}');
  const all = new Set([...(profile.needs ?? []), ...(usesService ? (['serviceUrl'] as const) : [])]);
  const needs = [...all].filter((need) => !isNamed(need));
  const isTenantMissing =
    entry.grant === 'client_credentials' && profile.tenant !== undefined && entry.tenant === undefined;
  const hasOwn = !isTenantMissing && tokenUriOf(profile, entry) !== undefined;
  return entry.tokenUri !== undefined || hasOwn
    ? needs
    : [profile.tokenUri === undefined ? 'tokenUri' : 'tenant', ...needs];
}

/** The words of the schema fit no provider in particular. */
function fixOfNeed(need: string, { id, tenant }: ProviderProfile): ((where: string) => string) | undefined {
  if (need === 'tenant' && tenant) return (where) => `Set ${where} to ${tenant.means}.`;
  if (!need.startsWith('parameters.')) return undefined;
  return (where) => `Set ${where} to the value that docs/providers/${id}.md describes.`;
}

/** What the profile says about the tenant. One that is the end of a host name could make it any host. */
function checkTenant({ entry: { provider, tenant }, profile }: ProfiledEntry, complain: Complain): void {
  if (tenant === undefined) return;
  if (!profile.tenant) {
    complain(['tenant'], `has no effect: the provider ${provider} has no tenants`, toRemove);
    return;
  }
  const { means, values } = profile.tenant;
  const toSet = (where: string) => `Set ${where} to ${means}.`;
  if (values && !values.includes(tenant.toLowerCase()))
    complain(['tenant'], `must be one of ${values.join(', ')} for the provider ${provider}`, toSet);
  // "{tenant}.shop.example" with the tenant "contoso.shop.example"
  const [, domain] = /^https:\/\/\{tenant\}[^/]*?(\.[^./]+\.[^./]+)\//.exec(profile.tokenUri ?? '') ?? [];
  if (domain !== undefined && tenant.toLowerCase().endsWith(domain))
    complain(['tenant'], `ends with ${domain}, which the address of the provider already has`, toSet);
}

/** Settings that are valid alone but not together. */
function checkCombinations({ entry, profile }: ProfiledEntry, complain: Complain): void {
  const { clientId, secrets, parameters, resource } = entry;
  if (clientId !== undefined && secrets?.clientId !== undefined) {
    complain(['secrets', 'clientId'], 'conflicts with clientId; set only one');
  }
  if (resource !== undefined && parameters !== undefined && Object.hasOwn(parameters, 'resource'))
    complain(['resource'], 'conflicts with parameters.resource; set only one', toRemove);
  for (const { path, cause, fix } of contradictions(entry, profile.behavior)) complain(path, cause, fix);
}

function methodOf({ entry, profile }: ProfiledEntry): ClientAuthentication {
  return entry.clientAuthentication ?? profile.clientAuthentication;
}

/** Settings of the client that do not fit its authentication. */
function checkClient(profiled: ProfiledEntry, complain: Complain): void {
  const { entry } = profiled;
  const method = methodOf(profiled);
  const { secrets, clientKey, clientAssertionAudience: audience, emptyClientSecret, publish } = entry;
  const unused = `has no effect with the client authentication ${method}`;
  const sendsSecret = usesClientSecret(method);
  if (clientKey !== undefined && method !== 'private_key_jwt') complain(['clientKey'], unused, toRemove);
  for (const { secret, key, certificate } of [clientKey ?? []].flat())
    if ([secret, key, certificate].filter((each) => each !== undefined).length !== 1)
      complain(
        ['clientKey'],
        'names not exactly one of secret, key and certificate',
        'Add "certificate", "key" or "secret" to clientKey, and only one of them. The default {"secret": "NAME-client-key"} counts only without clientKey.',
      );
  if (audience !== undefined && !makesAssertion(method))
    complain(['clientAssertionAudience'], unused, toRemove);
  if (audience !== undefined && method === 'managed_identity_federation' && !EXCHANGE_AUDIENCE.test(audience))
    complain(['clientAssertionAudience'], 'is not that of a token exchange (api://AzureADTokenExchange...)');
  if (emptyClientSecret && !sendsSecret) complain(['emptyClientSecret'], unused, toRemove);
  if (secrets?.clientSecret !== undefined && !sendsSecret)
    complain(['secrets', 'clientSecret'], unused, toRemove);
  if (secrets?.clientSecret !== undefined && emptyClientSecret)
    complain(['secrets', 'clientSecret'], 'conflicts with emptyClientSecret; set only one');
  if (publish?.connectionString === 'refreshToken' && (!sendsSecret || emptyClientSecret))
    complain(['publish', 'connectionString'], 'contains a client secret, and the client has none');
}

/**
 * The token of the identity opens every application that trusts it, for a day. So it goes only to the endpoint of a profile of this program
 * that takes it, or to a host that an app setting names: the author of the file can change neither.
 */
function checkFederation(
  { entry, profile }: ProfiledEntry,
  { allowLoopbackHttp, limits = {} }: ConfigurationContext,
  complain: Complain,
): void {
  if (methodOf({ entry, profile }) !== 'managed_identity_federation') return;
  const tokenUri = entry.tokenUri === undefined ? tokenUriOf(profile, entry) : addressIn(entry.tokenUri);
  const isHere = allowLoopbackHttp && isLoopback(URL.parse(tokenUri ?? '')?.hostname ?? '');
  if (limits.tokenHosts || isHere) return;
  if (entry.tokenUri === undefined && profile.acceptsFederation) return;
  complain(
    ['tokenUri'],
    'needs its host in the app setting ALLOWED_TOKEN_HOSTS, because it gets a token of the managed identity',
    entry.tokenUri !== undefined && profile.acceptsFederation
      ? 'Add its host to ALLOWED_TOKEN_HOSTS, or remove tokenUri.'
      : 'Add its host to ALLOWED_TOKEN_HOSTS, or set clientAuthentication to another method.',
  );
}

/** An assertion makes its holder the client until it expires. So only the token endpoint and what is on its host get one. */
function checkAssertion(
  { clientAuthentication: method, tokenUri, revocationUri }: Unmarked,
  complain: Complain,
): void {
  if (!makesAssertion(method) || revocationUri === undefined) return;
  if (new URL(revocationUri).host === new URL(tokenUri).host) return;
  complain(
    ['revocationUri'],
    `must have the host of tokenUri, because it gets an assertion of the client (${method})`,
    'Remove revocationUri, or correct it.',
  );
}

/** Whether the method sends an assertion of the client's identity. */
function makesAssertion(method: ClientAuthentication): boolean {
  return method === 'private_key_jwt' || method === 'managed_identity_federation';
}

const UNUSED_WITHOUT_REFRESH_TOKEN = [
  'revocationUri',
  'refreshTokenGrace',
  'refreshTokenIdleLifetime',
  'refreshTokenAbsoluteLifetime',
] as const;

/** Settings that have no meaning without a refresh token, and what the provider requires of a client that acts for itself. */
function checkGrant(profiled: ProfiledEntry, complain: Complain): void {
  const { entry } = profiled;
  const unused = 'has no effect with the grant client_credentials, which has no refresh token';
  if (entry.secrets?.refreshToken !== undefined) complain(['secrets', 'refreshToken'], unused, toRemove);
  for (const key of UNUSED_WITHOUT_REFRESH_TOKEN)
    if (entry[key] !== undefined) complain([key], unused, toRemove);
  if (methodOf(profiled) === 'none')
    complain(
      ['clientAuthentication'],
      'proves no identity, and the grant client_credentials needs a proof (RFC 6749 section 4.4)',
      'Set clientAuthentication to client_secret_basic, client_secret_post, private_key_jwt or managed_identity_federation.',
    );
  if (entry.publish?.connectionString === 'refreshToken')
    complain(
      ['publish', 'connectionString'],
      'contains a refresh token, and the grant client_credentials has none',
    );
  checkClientScope(profiled, complain);
}

/** A request with `resource` is one of an older endpoint, which takes no scope. */
function checkClientScope({ entry, profile }: ProfiledEntry, complain: Complain): void {
  const { clientScopeEnd: end } = profile;
  const { scope: own, resource, parameters = {} } = entry;
  if (end === undefined || resource !== undefined || Object.hasOwn(parameters, 'resource')) return;
  // Without a service URL, that is the problem.
  if (own === undefined && parameters.scope === undefined && profile.scope !== undefined) return;
  const { scope = '' } = withoutOfflineAccess({ scope: own ?? parameters.scope ?? '' });
  if (/^\S+$/.test(scope) && scope.toLowerCase().endsWith(end)) return;
  complain(
    own === undefined && parameters.scope !== undefined ? ['parameters', 'scope'] : ['scope'],
    `must be one scope that ends with ${end} for the provider ${entry.provider} with the grant client_credentials`,
    (where) => `Set ${where} to the identifier of the API and ${end}, such as https://api.example.com${end}.`,
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
  { entry, profile }: ProfiledEntry,
  { allowLoopbackHttp }: ConfigurationContext,
  complain: Complain,
): string | undefined {
  if (entry.tokenUri === undefined) {
    const text = tokenUriOf(profile, entry);
    return text === undefined ? undefined : readUrl(text, 'tokenUri', { allowLoopbackHttp }, complain);
  }
  const address = readUrl(addressIn(entry.tokenUri), 'tokenUri', { allowLoopbackHttp }, complain);
  const other = address === undefined ? undefined : otherEndpoint(profile, address);
  if (other !== undefined)
    complain(['tokenUri'], `is the ${other} of the provider ${entry.provider}, not the token endpoint`);
  return address;
}

/** A path, in the entry as in a profile, replaces that of the token endpoint. */
function readRevocationUri(
  { entry: { grant, revocationUri }, profile }: ProfiledEntry,
  tokenUri: string | undefined,
  { allowLoopbackHttp }: ConfigurationContext,
  complain: Complain,
): string | undefined {
  const isWhole = revocationUri !== undefined && !revocationUri.startsWith('/');
  if (!isWhole && (tokenUri === undefined || grant === 'client_credentials')) return undefined;
  const beside = { ...profile, ...(revocationUri !== undefined && { revocationUri }) };
  const text = isWhole ? revocationUri : revocationUriOf(beside, tokenUri ?? '');
  if (text !== undefined) return readUrl(text, 'revocationUri', { allowLoopbackHttp }, complain);
  if (revocationUri !== undefined)
    complain(
      ['revocationUri'],
      'is a path, and tokenUri does not have the path of the profile that it would replace',
      (where) => `Set ${where} to the whole address.`,
    );
  return undefined;
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
  if (/[{}]/.test(text)) {
    complain([key], 'has a brace: only a profile in providers has placeholders');
    return undefined;
  }
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

function secretNames(
  name: string,
  { secrets = {}, emptyClientSecret }: ConnectionEntry,
  method: ClientAuthentication,
): Connection['secrets'] {
  const hasSecret = usesClientSecret(method) && !emptyClientSecret;
  const { clientSecret = defaultSecretName(name, 'clientSecret') } = secrets;
  const clientSecrets = typeof clientSecret === 'string' ? [clientSecret] : clientSecret;
  return {
    clientId: secrets.clientId ?? defaultSecretName(name, 'clientId'),
    clientSecrets: hasSecret ? clientSecrets : [],
    refreshToken: secrets.refreshToken ?? defaultSecretName(name, 'refreshToken'),
    accessToken: secrets.accessToken ?? defaultSecretName(name, 'accessToken'),
  };
}

/** A request without a refresh token can be repeated at any time. */
function withoutRefreshToken(behavior: TokenBehavior): TokenBehavior {
  const { refreshTokenIdleMs: _, refreshTokenAbsoluteMs: _absolute, ...rest } = behavior;
  return { ...rest, refreshTokenGraceMs: Number.POSITIVE_INFINITY };
}

function toMs(seconds: number): number {
  return Math.ceil(seconds * 1000);
}
