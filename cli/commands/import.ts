import { refuseUseless } from '../../lib/authorization/usable.ts';
import { RotatorError } from '../../lib/errors.ts';
import { providerOf } from '../../lib/oauth/providers/index.ts';
import type { Connection } from '../../lib/rotation/core/connection.ts';
import { type Cli, connect, ensureNotInterrupted, NO_CONNECTIONS } from '../cli.ts';
import {
  configured,
  type Entry,
  type EntryOptions,
  entryOfOptions,
  refuseEntryOptions,
  resolved,
} from '../connection.ts';
import { type CredentialOptions, clientCredentials } from '../credentials.ts';
import { type Imported, readImported } from '../importedText.ts';
import { confirmReplacing, type KeepOptions, keep, warnOfLocalStack } from '../keep.ts';
import { readStdin } from '../prompts.ts';
import { readInput } from '../readInput.ts';

/** Options of `rotator import`. */
export interface ImportOptions extends KeepOptions, CredentialOptions, EntryOptions {
  readonly section?: string;
}

/** `rotator import NAME [FILE]` */
export async function importText(
  cli: Cli,
  name: string,
  file: string | undefined,
  options: ImportOptions,
): Promise<number> {
  const imported = readImported(await textOf(file, options), options.section);
  const { refreshToken, left, repeated } = imported;
  if (repeated.length > 0)
    cli.terminal.hint(
      `The input has ${repeated.join(' and ')} more than once. Only the first counts, as for unixODBC.`,
    );
  if (refreshToken === undefined) throw noRefreshToken();
  refuseUseless({ refreshToken });
  const parts = await connect(cli, NO_CONNECTIONS);
  warnOfLocalStack(cli, parts);
  const known = await configured(name, parts);
  refuseEntryOptions(name, known, options);
  refuseNoRefreshToken(known);
  refuseOtherEndpoint(known, imported);
  const entry = known ? undefined : entryOf(imported, options);
  const connection = known ?? resolved(name, entry ?? {}, parts);
  const client = await clientCredentials(cli, parts, connection, options, imported);
  const replace = await confirmReplacing(cli, parts, connection, { ...client, refreshToken }, options);
  ensureNotInterrupted(cli);
  if (left > 0)
    cli.terminal.hint(
      `Not imported, because the rotator does not use them: ${left} other attributes of the text.`,
    );
  return keep(cli, parts, { connection, entry, ...client, refreshToken, replace });
}

/** Standard input can be read only once. */
async function textOf(file: string | undefined, { clientSecretStdin }: ImportOptions): Promise<string> {
  if (file !== undefined && file !== '-') return readInput(file);
  if (!clientSecretStdin) return readStdin();
  throw new RotatorError({
    code: 'command_invalid',
    message: 'The connection string and the client secret cannot both come from stdin.',
    fix: 'Name a file with the connection string, or set the client secret in ROTATOR_CLIENT_SECRET.',
  });
}

function entryOf({ serviceUrl, tokenUri, scope }: Imported, options: EntryOptions): Entry {
  const provider = tokenUri === undefined ? undefined : providerOf(tokenUri, serviceUrl)?.id;
  return {
    ...(provider !== undefined && { provider }),
    ...(tokenUri !== undefined && { tokenUri }),
    ...(serviceUrl !== undefined && { serviceUrl }),
    ...(scope !== undefined && { scope }),
    ...entryOfOptions(options),
  };
}

/** The rotator sends secrets to the configured token endpoint, so they must belong to that endpoint. */
function refuseOtherEndpoint(known: Connection | undefined, { tokenUri }: Imported): void {
  if (!known || tokenUri === undefined || URL.parse(tokenUri)?.href === URL.parse(known.tokenUri)?.href)
    return;
  throw new RotatorError({
    code: 'input_unreadable',
    message: `The input belongs to another token endpoint than ${known.name} in the connections file.`,
    fix: 'Choose another name, or correct the tokenUri of the entry.',
  });
}

function refuseNoRefreshToken(known: Connection | undefined): void {
  if (known?.grant !== 'client_credentials') return;
  throw new RotatorError({
    code: 'command_invalid',
    message: `${known.name} has no refresh token to import: the grant of its entry is client_credentials.`,
    fix: `Run rotator connect ${known.name}, or remove grant from its entry.`,
  });
}

function noRefreshToken(): RotatorError {
  return new RotatorError({
    code: 'input_unreadable',
    message: 'The input has no refresh token.',
    fix: 'Import a text with RefreshToken (refresh_token in JSON), or sign in with rotator connect.',
  });
}
