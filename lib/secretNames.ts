/** The longest name of a secret, in characters (Key Vault REST reference, "Object identifiers"). */
export const LONGEST_SECRET_NAME = 127;

/** Matches the names that Key Vault accepts for secrets. */
export const SECRET_NAME = /^[0-9A-Za-z-]{1,127}$/;
/** The same in words. */
export const SECRET_NAME_RULE = '1 to 127 of 0-9, A-Z, a-z and -';

/** Matches the names of connections: with each ending except the last one, a name is also a valid secret name. */
export const CONNECTION_NAME = /^[0-9A-Za-z-]{1,113}$/;
/** The same in words. */
export const CONNECTION_NAME_RULE = '1 to 113 of 0-9, A-Z, a-z and -';

const ENDINGS = {
  clientId: 'client-id',
  clientSecret: 'client-secret',
  clientKey: 'client-key',
  accessToken: 'access-token',
  refreshToken: 'refresh-token',
  connectionString: 'connection-string',
} as const;

/** The default name of a secret of a connection. */
export function defaultSecretName(connection: string, secret: keyof typeof ENDINGS): string {
  return `${connection}-${ENDINGS[secret]}`;
}

/** What the value of a credential is for: a provider gets what is sent, and a private key stays here. */
export type CredentialUse = 'sent' | 'key';

const CREDENTIALS = { sent: ['clientId', 'clientSecret', 'refreshToken'], key: ['clientKey'] } as const;

/**
 * Is this the default name of a credential of the connection with this use, alone or with more after it, such as `NAME-client-secret-next`?
 * There are several client secrets while one is being replaced. Key Vault ignores the case of names, and holds the private key of an
 * exportable certificate as a secret of the same name.
 */
export function isDefaultCredential(connection: string, name: string, use: CredentialUse): boolean {
  const plain = `${name.toLowerCase()}-`;
  const secrets: readonly (keyof typeof ENDINGS)[] = CREDENTIALS[use];
  return secrets.some((secret) =>
    plain.startsWith(`${defaultSecretName(connection, secret).toLowerCase()}-`),
  );
}
