import { randomBytes } from 'node:crypto';
import {
  type AuthorizationServer,
  type LocalClient,
  startAuthorizationServer,
} from './authorizationServer/server.ts';
import { type LocalClientKey, newClientKey } from './clientKeys.ts';
import { ACCESS_TOKEN_SECONDS, type LocalConnection } from './connections.ts';
import type { DataDirectory } from './dataDirectory.ts';
import { createCertificateAuthority } from './keyVault/certificateAuthority.ts';
import { type ManagedIdentityServer, startManagedIdentity } from './keyVault/managedIdentity.ts';
import { ALL_RIGHTS, type KeyVaultServer, startKeyVault, type VaultRight } from './keyVault/server.ts';
import { type Azurite, startAzurite } from './storage/azurite.ts';

/** The rotator's identity for the vaults: the client id of its managed identity, a GUID as in Azure. */
export const ROTATOR_CLIENT_ID = '00000000-0000-4000-8000-000000000001';
/** The client that `rotator connect --local` signs in with; a user clicks through its sign-in and consent. */
export const CLI_CLIENT_ID = 'rotator-cli';
/** The identities of an operator and of a consumer. */
const OPERATOR = 'operator';
const CONSUMER = 'consumer';

/** The bearer tokens of an operator and of a consumer for the vaults: other ones at each start. */
export interface Bearers {
  readonly operator: string;
  readonly consumer: string;
}

/** The servers that the rotator talks to. Each is the real program, or as close to it as possible without Azure. */
export interface Servers {
  readonly authorization: AuthorizationServer;
  readonly credentialVault: KeyVaultServer;
  readonly tokenVault: KeyVaultServer;
  readonly identity: ManagedIdentityServer;
  readonly bearers: Bearers;
  readonly storage: Azurite;
  readonly clients: readonly LocalClient[];
  /** The keys of the clients with `private_key_jwt`, by the name of their connection. */
  readonly clientKeys: ReadonlyMap<string, LocalClientKey>;
  /** The certificate of the vaults' certificate authority, PEM. */
  readonly caCertificate: string;
  /** The vaults' own key and certificate, PEM: for a proxy that replaces the vaults. */
  readonly vaultTls: { readonly key: string; readonly cert: string };
  close(): Promise<void>;
}

const CLI_CLIENT = {
  name: CLI_CLIENT_ID,
  rotation: 'single_use',
  clientAuthentication: 'client_secret_basic',
  description: '',
  interactive: true,
} as const;

/**
 * Starts all servers on free ports.
 * @param accessTokenSeconds the lifetime of an access token
 */
export async function startServers(
  connections: readonly LocalConnection[],
  data: DataDirectory,
  keep: boolean,
  accessTokenSeconds = ACCESS_TOKEN_SECONDS,
): Promise<Servers> {
  const started: { close(): Promise<void> }[] = [];
  const begun = <T extends { close(): Promise<void> }>(server: T): T => {
    started.push(server);
    return server;
  };
  const close = async () => {
    await Promise.all(started.map((server) => server.close()));
  };
  const file = (name: string) => (keep ? { dataFile: data.file(name) } : {});
  // It takes longest, so the others start meanwhile.
  const storage = startAzurite(keep ? data.file('storage') : undefined).then(begun);
  storage.catch(() => {});
  try {
    const clientKeys = await keysOf(connections);
    const authority = await createCertificateAuthority();
    const vaultTls = await authority.issue(['127.0.0.1', 'localhost']);
    const identity = begun(await startManagedIdentity({ header: newWord() }));
    const clients = await Promise.all(
      [...connections, CLI_CLIENT].map((each) => clientOf(each, { data, identity, clientKeys })),
    );
    const bearers = await writeBearers(data);
    const vault = async (name: string, rights: (identity: string) => readonly VaultRight[]) =>
      begun(
        await startKeyVault({
          name,
          tls: vaultTls,
          ...file(`${name}.json`),
          ...accessOf(identity, bearers, rights),
        }),
      );
    return {
      clients,
      clientKeys,
      identity,
      bearers,
      caCertificate: authority.caCertificate,
      vaultTls,
      credentialVault: await vault('credential-vault', (who) => rightsOf(who, [])),
      tokenVault: await vault('token-vault', (who) => rightsOf(who, ['get'])),
      authorization: begun(
        await startAuthorizationServer({
          clients,
          accessTokenSeconds,
          ...file('authorization-server.json'),
        }),
      ),
      storage: await storage,
      close,
    };
  } catch (error) {
    await storage.catch(() => {});
    await close();
    throw error;
  }
}

const ROTATOR_RIGHTS: readonly VaultRight[] = [
  'get',
  'set',
  'update',
  'list',
  'getKey',
  'sign',
  'getCertificate',
];

/** The rotator has the rights of the custom role that the deployment gives it: no delete, no purge. */
function rightsOf(who: string, consumerRights: readonly VaultRight[]): readonly VaultRight[] {
  if (who === ROTATOR_CLIENT_ID) return [...ROTATOR_RIGHTS];
  if (who === OPERATOR) return ALL_RIGHTS;
  return who === CONSUMER ? consumerRights : [];
}

/** A word that no other user of the machine and no web page can guess. */
function newWord(): string {
  return randomBytes(24).toString('base64url');
}

/** The name of the file with the Authorization header of an operator or a consumer, for `curl --header @FILE`. */
export function headerFile(who: keyof Bearers): string {
  return `${who}-header.txt`;
}

async function writeBearers(data: DataDirectory): Promise<Bearers> {
  const bearers = { operator: newWord(), consumer: newWord() };
  for (const who of ['operator', 'consumer'] as const)
    await data.write(headerFile(who), `Authorization: Bearer ${bearers[who]}\n`);
  return bearers;
}

function accessOf(
  identity: ManagedIdentityServer,
  bearers: Bearers,
  rights: (who: string) => readonly VaultRight[],
) {
  const identify = (token: string) => {
    if (token === bearers.operator) return OPERATOR;
    return token === bearers.consumer ? CONSUMER : identity.identityOf(token);
  };
  const authorize = (token: string) => {
    const who = identify(token);
    return who === undefined ? undefined : rights(who);
  };
  return { identify, authorize };
}

async function keysOf(connections: readonly LocalConnection[]): Promise<ReadonlyMap<string, LocalClientKey>> {
  const keys = new Map<string, LocalClientKey>();
  for (const { name, clientAuthentication, clientKey, algorithm } of connections) {
    if (clientAuthentication !== 'private_key_jwt') continue;
    const withCertificate = clientKey === 'certificate';
    const isRsa = algorithm === undefined ? withCertificate : algorithm !== 'ES256';
    keys.set(name, await newClientKey({ type: isRsa ? 'RSA' : 'EC', withCertificate }));
  }
  return keys;
}

interface ClientParts {
  readonly data: DataDirectory;
  readonly identity: ManagedIdentityServer;
  readonly clientKeys: ReadonlyMap<string, LocalClientKey>;
}

async function clientOf(
  connection: LocalConnection & { interactive?: true },
  { data, identity, clientKeys }: ClientParts,
): Promise<LocalClient> {
  const { name, rotation, graceSeconds, clientAuthentication, interactive } = connection;
  const { emptyClientSecret, grant } = connection;
  const hasSecret = clientAuthentication.startsWith('client_secret_') && !emptyClientSecret;
  const key = clientKeys.get(name);
  return {
    clientId: name,
    clientSecret: hasSecret ? await data.secret(`${name}-client-secret`) : '',
    clientAuthentication,
    rotation,
    graceSeconds,
    interactive,
    redirectUri: 'http://127.0.0.1/callback',
    ...(key && { keys: [key.jwk], ...(key.thumbprint !== undefined && { thumbprints: [key.thumbprint] }) }),
    ...(clientAuthentication === 'managed_identity_federation' && {
      federation: { ...identity.federation(ROTATOR_CLIENT_ID), audience: 'api://AzureADTokenExchange' },
    }),
    ...((grant || interactive) && { clientCredentials: true }),
  };
}
