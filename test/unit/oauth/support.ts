import type { Connection } from '../../../lib/rotation/core/connection.ts';

/** A connection with nothing special about it. */
export function connectionWith(changes: Partial<Connection> = {}): Connection {
  return {
    name: 'crm',
    provider: 'generic',
    enabled: true,
    tokenUri: 'https://login.example.com/oauth/token?tenant=hidden',
    serviceUrl: undefined,
    clientId: 'client-1',
    clientAuthentication: 'client_secret_basic',
    parameters: {},
    secrets: {
      clientId: 'crm-client-id',
      clientSecrets: ['crm-client-secret', 'crm-client-secret-2'],
      refreshToken: 'crm-refresh-token',
      accessToken: 'crm-access-token',
    },
    vaults: { credential: 'https://c.vault.example', token: 'https://t.vault.example' },
    connectionString: undefined,
    refreshTokenGraceMs: 0,
    renewBeforeMs: undefined,
    assumedLifetimeMs: 3_600_000,
    allowPrivateNetwork: false,
    adopt: false,
    fingerprint: 'f',
    ...changes,
  };
}

/** The body of an answer. */
export function bytesOf(value: unknown): Uint8Array {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}
