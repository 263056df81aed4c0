import { authorizeByCode } from '../../lib/authorization/authorizeByCode.ts';
import { authorizeByDevice, type DeviceCode } from '../../lib/authorization/authorizeByDevice.ts';
import { discoverServer, type Server } from '../../lib/authorization/discover.ts';
import type { AuthorizationRequest, ObtainedTokens } from '../../lib/authorization/request.ts';
import { RotatorError } from '../../lib/errors.ts';
import { endpointsBeside, profileNamed, withScopes } from '../../lib/oauth/providers/index.ts';
import type { Connection } from '../../lib/rotation/core/connection.ts';
import { ProcessMemory } from '../../lib/rotation/processMemory.ts';
import { ClientCredentials } from '../../lib/rotation/steps/clientCredentials.ts';
import {
  type Cli,
  type Connected,
  connect as connectTo,
  ensureNotInterrupted,
  NO_CONNECTIONS,
} from '../cli.ts';
import {
  configured,
  type Entry,
  type EntryOptions,
  entryOfOptions,
  providerEndpoint,
  refuseEntryOptions,
  resolved,
} from '../connection.ts';
import { type CredentialOptions, clientCredentials } from '../credentials.ts';
import { extraParameters } from '../extraParameters.ts';
import { confirmReplacing, type KeepOptions, keep, warnOfLocalStack } from '../keep.ts';
import { openBrowser } from '../openBrowser.ts';
import { span } from '../terminal.ts';

/** How long to wait for the browser, unless the user says otherwise. */
const BROWSER_PATIENCE_MS = 300_000;

/** Options of `rotator connect`. */
export interface ConnectOptions extends KeepOptions, CredentialOptions, EntryOptions {
  readonly device?: true;
  readonly issuer?: string;
  readonly authorizationEndpoint?: string;
  readonly deviceEndpoint?: string;
  readonly parameter?: readonly string[];
  readonly redirectUri?: string;
  readonly browser: boolean;
  readonly timeout?: string;
}

/**
 * `rotator connect NAME`: sign-in, secrets into the credential vault, first rotation, entry. With the grant `client_credentials`, the
 * client needs no sign-in.
 */
export async function connect(cli: Cli, name: string, options: ConnectOptions): Promise<number> {
  const extra = extraParameters(options.parameter);
  const parts = await connectTo(cli, NO_CONNECTIONS);
  warnOfLocalStack(cli, parts);
  const known = await configured(name, parts);
  refuseEntryOptions(name, known, options);
  if ((known?.grant ?? options.grant) === 'client_credentials')
    return connectClient(cli, parts, { name, known, options });
  refuseWithoutLoopback(name, known, options);
  const server = await discover(cli, parts, known, options);
  const scope = scopeOf(server, known, options);
  const entry = known ? undefined : entryOf(server, scope, { ...options, extra });
  const connection = known ?? resolved(name, entry ?? {}, parts);
  const client = await clientCredentials(cli, parts, connection, options);
  const replace = await confirmReplacing(cli, parts, connection, client, options);
  const request: AuthorizationRequest = {
    server,
    ...client,
    ...assertionOf(parts, connection, client.clientId),
    clientAuthentication: connection.clientAuthentication,
    parameters: { ...parametersOf(connection, scope, options), ...extra },
    tokenParameters: tokenParametersOf(connection),
    behavior: connection.behavior,
    allowLoopbackHttp: parts.settings.allowLoopbackHttp,
    allowPrivateNetwork: connection.allowPrivateNetwork,
    signal: cli.interrupted,
  };
  const tokens = await authorize(cli, parts, connection, request, options);
  ensureNotInterrupted(cli);
  const { repeatsRedirectUri } = profileNamed(connection.provider).signIn;
  const { scope: grantedScope = scope, redirectUri } = tokens;
  const repeated =
    repeatsRedirectUri && redirectUri !== undefined ? { redirect_uri: redirectUri } : undefined;
  return keep(cli, parts, {
    connection: { ...connection, parameters: { ...connection.parameters, ...repeated } },
    entry: entry && {
      ...entry,
      ...(grantedScope && { scope: grantedScope }),
      ...(repeated && { parameters: { ...entry.parameters, ...repeated } }),
    },
    ...client,
    ...tokens,
    replace,
  });
}

/**
 * Refuses a sign-in that could not come back, before the user registers or enters anything for it.
 * @throws RotatorError `command_invalid`
 */
function refuseWithoutLoopback(name: string, known: Connection | undefined, options: ConnectOptions): void {
  const { noLoopback } = profileNamed(known?.provider ?? options.provider).signIn;
  if (noLoopback === undefined || options.device || options.redirectUri !== undefined) return;
  throw new RotatorError({
    code: 'command_invalid',
    message: `The sign-in could not return to this machine. ${noLoopback}`,
    fix: `Sign in with your own web application, save its token response, and run rotator import ${name} FILE. Or set --redirect-uri if an http address of this machine is registered.`,
  });
}

/** The client acts for itself: its credentials are all that is stored. */
async function connectClient(
  cli: Cli,
  parts: Connected,
  { name, known, options }: { name: string; known: Connection | undefined; options: ConnectOptions },
): Promise<number> {
  const isNamed = options.tokenUri !== undefined || providerEndpoint(options) !== undefined;
  const server = known || isNamed ? {} : await discover(cli, parts, known, options);
  const entry = known ? undefined : clientEntryOf(server, options);
  const connection = known ?? resolved(name, entry ?? {}, parts);
  const client = { ...(await clientCredentials(cli, parts, connection, options)), refreshToken: '' };
  const replace = await confirmReplacing(cli, parts, connection, client, options);
  ensureNotInterrupted(cli);
  return keep(cli, parts, { connection, entry, ...client, replace });
}

function clientEntryOf(server: Partial<Server>, options: ConnectOptions): Entry {
  return {
    ...(server.token_endpoint !== undefined && { tokenUri: server.token_endpoint }),
    ...entryOfOptions(options),
  };
}

/** A new assertion for each request of the sign-in, as for those of the rotations. */
function assertionOf(
  { ports }: Connected,
  connection: Connection,
  clientId: string,
): Pick<AuthorizationRequest, 'clientAssertion'> {
  const { clientAuthentication } = connection;
  if (!['private_key_jwt', 'managed_identity_federation'].includes(clientAuthentication)) return {};
  const credentials = new ClientCredentials(connection, ports, new ProcessMemory());
  const clientAssertion = async () => {
    const [proof] = (await credentials.read()).proofs;
    const sent = proof && (await credentials.prove(clientId, proof, Date.now()));
    return sent?.clientAssertion ?? '';
  };
  return { clientAssertion };
}

async function discover(
  { interrupted, terminal }: Cli,
  { settings, stack }: Connected,
  known: Connection | undefined,
  options: ConnectOptions,
): Promise<Server> {
  const { allowLoopbackHttp } = settings;
  const rules = {
    allowLoopbackHttp,
    allowPrivateNetwork: known?.allowPrivateNetwork ?? false,
    signal: interrupted,
  };
  const tokenEndpoint = known?.tokenUri ?? options.tokenUri ?? providerEndpoint(options);
  const issuer = options.issuer ?? (tokenEndpoint === undefined ? stack?.authorization.issuer : undefined);
  const profile = profileNamed(known?.provider ?? options.provider);
  const beside = tokenEndpoint === undefined ? {} : endpointsBeside(tokenEndpoint, profile);
  const hints = {
    issuer,
    tokenEndpoint,
    ...(options.device
      ? { deviceEndpoint: options.deviceEndpoint ?? beside.deviceEndpoint }
      : { authorizationEndpoint: options.authorizationEndpoint ?? beside.authorizationEndpoint }),
  };
  return terminal.working('Looking up the authorization server', () => discoverServer(hints, rules));
}

function scopeOf(server: Server, known: Connection | undefined, options: ConnectOptions) {
  const scope = options.scope ?? known?.parameters.scope;
  if (scope !== undefined) return scope;
  if (!profileNamed(known?.provider ?? options.provider).signIn.takesScopeFromMetadata) return undefined;
  const supported = server.scopes_supported ?? [];
  return supported.includes('offline_access')
    ? ['openid', 'offline_access'].filter((each) => supported.includes(each)).join(' ')
    : undefined;
}

function entryOf(
  server: Server,
  scope: string | undefined,
  { extra, ...options }: ConnectOptions & { readonly extra: Readonly<Record<string, string>> },
): Entry {
  // Of the additional parameters, token requests need those that the profile names.
  const { needs = [] } = profileNamed(options.provider);
  const needed = Object.entries(extra).filter(([name]) =>
    needs.some((need) => need === `parameters.${name}`),
  );
  const isKnown = options.tokenUri === undefined && providerEndpoint(options) !== undefined;
  const offered = server.token_endpoint_auth_methods_supported ?? ['client_secret_basic'];
  const usual = offered.includes('client_secret_basic') ? 'client_secret_basic' : 'client_secret_post';
  return {
    ...(!isKnown && server.token_endpoint !== undefined && { tokenUri: server.token_endpoint }),
    ...(!isKnown &&
      server.revocation_endpoint !== undefined && { revocationUri: server.revocation_endpoint }),
    ...(options.provider === undefined && { clientAuthentication: usual }),
    ...(scope !== undefined && { scope }),
    ...(needed.length > 0 && { parameters: Object.fromEntries(needed) }),
    ...entryOfOptions(options),
  };
}

function parametersOf(
  { parameters, provider }: Connection,
  scope: string | undefined,
  options: ConnectOptions,
): Record<string, string> {
  const { promptsForConsent, scopes = [], parameters: own } = profileNamed(provider).signIn;
  const requested = withScopes(scope ?? parameters.scope ?? '', scopes);
  const asksAgain = promptsForConsent && requested.includes('offline_access') && !options.device;
  return {
    ...parameters,
    ...(requested !== '' && { scope: requested }),
    ...(asksAgain && { prompt: 'consent' }),
    ...(!options.device && own),
  };
}

/** Those of the rotations, without what belongs to them alone: the scope of a code is that of its authorization (RFC 6749 section 4.1.3). */
function tokenParametersOf({ parameters, provider }: Connection): Record<string, string> {
  const { scope: _scope, redirect_uri: _redirectUri, ...others } = parameters;
  return { ...others, ...profileNamed(provider).signIn.tokenParameters };
}

async function authorize(
  cli: Cli,
  { ports }: Connected,
  { provider }: Connection,
  request: AuthorizationRequest,
  options: ConnectOptions,
): Promise<ObtainedTokens> {
  const patienceMs = options.timeout === undefined ? undefined : Number(options.timeout) * 1000;
  if (options.device) {
    const show = (code: DeviceCode) => showCode(cli, code);
    return authorizeByDevice(request, { show, patienceMs }, ports.clock);
  }
  const { redirectUri } = profileNamed(provider).signIn;
  const open = (url: string) => {
    const how = options.browser
      ? 'in the browser. If it does not open, go to'
      : 'in a browser on this machine, at';
    cli.terminal.hint(`Sign in and consent ${how}:\n${url}`);
    if (options.browser) openBrowser(url, cli.env);
  };
  return authorizeByCode(request, {
    open,
    redirectUri: options.redirectUri ?? redirectUri,
    patienceMs: patienceMs ?? BROWSER_PATIENCE_MS,
  });
}

function showCode({ terminal }: Cli, { address, userCode, expiresInMs }: DeviceCode): void {
  terminal.hint(`Go to ${address} on any device within ${span(expiresInMs)}, and enter the code ${userCode}`);
}
