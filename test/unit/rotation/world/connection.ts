import {
  CAREFUL_BEHAVIOR,
  type Connection,
  type InvalidConnection,
  type TokenBehavior,
} from '../../../../lib/rotation/core/connection.ts';
import { problemWith } from '../../../support/problem.ts';

export const CREDENTIAL_VAULT = 'https://credentials.vault.example';
export const TOKEN_VAULT = 'https://tokens.vault.example';
/** Host of the record store. */
export const STORE = 'records.blob.example';
/** Host of the record store of another deployment. */
export const OTHER_STORE = 'other.blob.example';

/** Values that replace the defaults of a connection; `behavior` replaces only the fields that it names. */
export type ConnectionChanges = Omit<Partial<Connection>, 'behavior'> & {
  readonly behavior?: Partial<TokenBehavior>;
};

/** A connection with all defaults. */
export function connectionNamed(name = 'crm', { behavior, ...changes }: ConnectionChanges = {}): Connection {
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
    behavior: { ...CAREFUL_BEHAVIOR, ...behavior },
    renewBeforeMs: undefined,
    allowPrivateNetwork: false,
    overwrite: false,
    fingerprint: `${name}-1`,
    ...changes,
  };
}

/** A connection whose entry is not valid. */
export const INVALID: InvalidConnection = { name: 'broken', problem: problemWith('connection_invalid') };
