import { SecretUnusable } from '../errors.ts';
import type { Secret } from './ports.ts';
import type { ClientCredentials } from './processState.ts';
import type { RecordedFailure } from './record.ts';
import { credentialVault, type Run } from './run.ts';

/**
 * The client id and all client secrets of a connection, from memory or from the credential vault.
 * @throws RotatorError where one is missing, empty or cannot be read
 */
export async function clientCredentials(run: Run): Promise<ClientCredentials> {
  const { state, connection } = run;
  const known = state.credentials.get(connection.fingerprint);
  if (known) return known;
  const { secrets } = connection;
  const sources: RecordedFailure['watch'] = [];
  const read = async (name: string, what: string) => {
    const secret = await required(run, name, what);
    sources.push({ secret: name, version: secret.version });
    return secret;
  };
  const clientId = connection.clientId ?? (await read(secrets.clientId, 'the client id')).value;
  const clientSecrets: Secret[] = [];
  for (const name of secrets.clientSecrets) clientSecrets.push(await read(name, 'the client secret'));
  const credentials = { clientId, clientSecrets, sources };
  state.credentials.set(connection.fingerprint, credentials);
  return credentials;
}

/** Reads the credentials again at the next use: the provider refused these. */
export function forgetCredentials({ state, connection }: Run): void {
  state.credentials.delete(connection.fingerprint);
}

async function required(run: Run, name: string, what: string): Promise<Secret> {
  const secret = await credentialVault(run).get(name);
  // A line end comes along when a secret is set from a file or a pipe; it is never part of a credential.
  const value = secret?.value.trim();
  if (!secret || !value)
    throw new SecretUnusable(what, name, run.connection.vaults.credential, secret?.version);
  return { ...secret, value };
}
