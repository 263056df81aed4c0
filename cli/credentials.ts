import { readCredential } from '../lib/authorization/storeConnection.ts';
import { refuseUseless } from '../lib/authorization/usable.ts';
import type { Connection } from '../lib/rotation/core/connection.ts';
import { bareValue } from '../lib/rotation/core/credentialValue.ts';
import type { Cli, Connected } from './cli.ts';
import { readOwnFile } from './ownFile.ts';
import { askSecret, askText, readStdin } from './prompts.ts';

/** Where the client secret is read from: an argument would stay in the shell's history. */
const SECRET_VARIABLE = 'ROTATOR_CLIENT_SECRET';

/** The options that set the client's credentials. */
export interface CredentialOptions {
  readonly clientId?: string;
  readonly clientSecretStdin?: true;
}

/** Client id and client secret. */
export interface ClientCredentials {
  readonly clientId: string;
  /** Empty if the client has none. */
  readonly clientSecret: string;
}

/**
 * The client's credentials from the first source that has them: options, imported text, vault, local stack, and last a question to
 * the user.
 * @param input the values of a connection string or a JSON document
 * @throws RotatorError `input_unreadable` if no provider would accept one of them
 */
export async function clientCredentials(
  { env, terminal }: Cli,
  { ports, stack }: Connected,
  connection: Connection,
  options: CredentialOptions,
  input: Partial<ClientCredentials> = {},
): Promise<ClientCredentials> {
  const { clientId: fixed, secrets, vaults } = connection;
  const vault = ports.vault(vaults.credential);
  const stored = async (name = '') =>
    bareValue((await readCredential(connection, vault, name)) ?? '') || undefined;
  const local = stack?.authorization;
  const clientId = bareValue(
    options.clientId ??
      input.clientId ??
      fixed ??
      (await stored(secrets.clientId)) ??
      local?.clientId ??
      (await askText(terminal, 'The client id', '--client-id')),
  );
  if (secrets.clientSecrets.length === 0) {
    refuseUseless({ clientId });
    return { clientId, clientSecret: '' };
  }
  const clientSecret = bareValue(
    (options.clientSecretStdin ? await readStdin() : undefined) ??
      (bareValue(env[SECRET_VARIABLE] ?? '') || undefined) ??
      input.clientSecret ??
      (await stored(secrets.clientSecrets[0])) ??
      (local && clientId === local.clientId ? readOwnFile(local.clientSecretFile) : undefined) ??
      (await askSecret(terminal, 'The client secret', `--client-secret-stdin or ${SECRET_VARIABLE}`)),
  );
  refuseUseless({ clientId, clientSecret });
  return { clientId, clientSecret };
}
