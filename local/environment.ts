import type { LocalConnection } from './connections.ts';
import type { DataDirectory } from './dataDirectory.ts';
import { writeConnections } from './keptConnections.ts';
import { ROTATOR_CLIENT_ID, type Servers } from './servers.ts';

const SCHEDULE = '*/5 * * * * *';

/**
 * The settings that a deployment would give the function app.
 * @param schedule six-field NCRONTAB; by default every 5 s
 */
export async function environmentOf(
  servers: Servers,
  data: DataDirectory,
  connections: readonly LocalConnection[],
  schedule = SCHEDULE,
): Promise<Record<string, string>> {
  const { credentialVault, tokenVault, identity, storage, authorization, caCertificate } = servers;
  return {
    CREDENTIAL_VAULT_URL: credentialVault.tlsUrl ?? '',
    TOKEN_VAULT_URL: tokenVault.tlsUrl ?? '',
    CONNECTIONS: await writeConnections(data, connections, authorization.tokenEndpoint),
    ROTATION_SCHEDULE: schedule,
    ALLOW_LOOPBACK_HTTP: 'true',
    AzureWebJobsStorage: storage.connectionString,
    AZURE_CLIENT_ID: ROTATOR_CLIENT_ID,
    // The servers are on this machine, so requests must not go through a proxy that is set for the machine.
    NO_PROXY: '127.0.0.1,localhost',
    IDENTITY_ENDPOINT: identity.url,
    IDENTITY_HEADER: identity.header,
    // The Key Vault client requires TLS. With this setting, it trusts the vaults' own certificate authority.
    NODE_EXTRA_CA_CERTS: await data.write('ca.pem', caCertificate),
  };
}
