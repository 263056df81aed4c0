import { SecretUnusable } from '../../errors.ts';
import type { ConnectionRecord, RecordedFailure } from '../core/record.ts';
import { expiringSoon, fixedExpiry } from '../core/status.ts';
import type { Secret } from '../ports.ts';
import type { ClientCredentials } from '../processMemory.ts';
import { credentialVault, logRun, type Run } from './run.ts';

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

/**
 * The same where they may have been replaced: something failed since, the refresh token is none that this process knows (who
 * signed in again may have done so with another client), or a client secret expires soon. Costs nothing in the steady state.
 */
export function forgetDoubtful(run: Run, { failure }: ConnectionRecord, { version }: Secret): void {
  const { state, connection, lease } = run;
  const isKnown = state.refreshTokens.get(connection.name) === version;
  if (failure || !isKnown || expiringSoon(clientSecretExpiries(run), lease.now()).length > 0)
    forgetCredentials(run);
}

/**
 * Tells, after a rotation, which credentials a person has to replace soon.
 * @param before the record before the rotation, `after` the record after it
 */
export function warnOfExpiry(run: Run, before: ConnectionRecord, after: ConnectionRecord): void {
  const { secrets } = run.connection;
  const refreshToken = { secret: secrets.refreshToken, expiresAt: fixedExpiry(before, after) };
  for (const expiring of expiringSoon([...clientSecretExpiries(run), refreshToken], run.lease.now()))
    logRun(run, 'warn', 'credential_expiring', expiring);
}

/** As the `exp` attribute in the vault says, of the client secrets in memory. */
function clientSecretExpiries({ state, connection }: Run) {
  const { clientSecrets = [] } = state.credentials.get(connection.fingerprint) ?? {};
  return clientSecrets.map(({ properties }, index) => {
    const secret = connection.secrets.clientSecrets[index] ?? '';
    return { secret, expiresAt: properties.expiresAt };
  });
}

async function required(run: Run, name: string, what: string): Promise<Secret> {
  const secret = await credentialVault(run).get(name);
  // A line end comes along when a secret is set from a file or a pipe; it is never part of a credential.
  const value = secret?.value.trim();
  if (!secret || !value)
    throw new SecretUnusable(what, name, run.connection.vaults.credential, secret?.version);
  return { ...secret, value };
}
