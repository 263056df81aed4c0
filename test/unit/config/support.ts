import type { ConfigurationContext } from '../../../lib/config/parseConnections.ts';
import type { Problem } from '../../../lib/errors.ts';

/** The smallest valid environment. */
export const GOOD_ENV = {
  CREDENTIAL_VAULT_URL: 'https://credentials.vault.azure.net',
  CONNECTIONS: 'connections.json',
  AzureWebJobsStorage__accountName: 'rotatorstore',
};

/** The settings that resolving an entry needs. */
export const CONTEXT = {
  credentialVaultUrl: 'https://credentials.vault.azure.net',
  tokenVaultUrl: 'https://tokens.vault.azure.net',
  allowLoopbackHttp: false,
  limits: {},
} satisfies ConfigurationContext;

/** An entry with the required members only. */
export const ENTRY = { tokenUri: 'https://login.example.com/token' };

/** The text of a file with these connections. */
export function fileOf(connections: unknown): string {
  return JSON.stringify({ connections });
}

/** Message and fix together, as operators see them. */
export function shown({ code, message, fix }: Problem): string {
  return `${code}: ${message} ${fix}`;
}
