import type { Connection, InvalidConnection } from '../../../../lib/rotation/core/connection.ts';
import { problemWith } from '../../../support/problem.ts';

export const CREDENTIAL_VAULT = 'https://credentials.vault.example';
export const TOKEN_VAULT = 'https://tokens.vault.example';
/** Host of the record store. */
export const STORE = 'records.blob.example';

/** A connection with all defaults, named `crm` unless told. */
export function connectionNamed(name = 'crm', changes: Partial<Connection> = {}): Connection {
  return {
    name,
    provider: 'test',
    enabled: true,
    tokenUri: 'https://login.example/token',
    serviceUrl: undefined,
    clientId: `${name}-client`,
    clientAuthentication: 'client_secret_basic',
    parameters: {},
    secrets: {
      clientId: `${name}-client-id`,
      clientSecrets: [`${name}-client-secret`],
      refreshToken: `${name}-refresh-token`,
      accessToken: `${name}-access-token`,
    },
    vaults: { credential: CREDENTIAL_VAULT, token: TOKEN_VAULT },
    connectionString: undefined,
    refreshTokenGraceMs: 0,
    renewBeforeMs: undefined,
    assumedLifetimeMs: 3_600_000,
    allowPrivateNetwork: false,
    adopt: false,
    fingerprint: `${name}-1`,
    ...changes,
  };
}

/** A connection whose entry cannot be used. */
export const INVALID: InvalidConnection = { name: 'broken', problem: problemWith('connection_invalid') };
