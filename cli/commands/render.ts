import { FORMS } from '../../lib/connectionString/forms.ts';
import { MASK } from '../../lib/connectionString/mask.ts';
import { placeholdersIn } from '../../lib/connectionString/template.ts';
import { RotatorError } from '../../lib/errors.ts';
import {
  type Connection,
  type ConnectionString,
  type ConnectionStringValues,
  renderConnectionString,
  usableConnection,
} from '../../lib/rotation/core/connection.ts';
import { bareValue, unusableSecret } from '../../lib/rotation/core/credentialValue.ts';
import { isManaged } from '../../lib/rotation/core/tags.ts';
import type { SecretVault } from '../../lib/rotation/ports.ts';
import { readPublished } from '../../lib/rotation/steps/publication.ts';
import { type Cli, type Connected, connect } from '../cli.ts';
import { EXIT } from '../exitCodes.ts';

/** Options of `rotator render`. */
export interface RenderOptions {
  readonly form?: keyof typeof FORMS;
  readonly reveal?: true;
}

/** `rotator render NAME` */
export async function render(cli: Cli, name: string, { form, reveal }: RenderOptions): Promise<number> {
  const { terminal } = cli;
  const parts = await connect(cli);
  const connection = usableConnection(await parts.ports.connections(), name);
  const string = formOf(connection, form);
  refuseNothingToHold(connection, string);
  refuseNoService(connection, string);
  const values = await terminal.working('Reading the secrets', () =>
    valuesOf(connection, string.holds, parts, reveal === true),
  );
  const connectionString = renderConnectionString(connection, string, values);
  if (reveal && string.holds === 'refreshToken' && Number.isFinite(connection.behavior.refreshTokenGraceMs))
    terminal.hint(
      'The string contains a refresh token that works once. If another process uses it, the rotator can no longer use it.',
    );
  terminal.result({ connection: name, holds: string.holds, connectionString }, [connectionString]);
  return EXIT.done;
}

/** The form that `--form` names, else the form that the entry publishes, else the form that can be imported again. */
function formOf(
  { connectionString }: Connection,
  form: RenderOptions['form'],
): Pick<ConnectionString, 'holds' | 'template'> {
  if (form === undefined && connectionString) return connectionString;
  const holds = form ?? 'refreshToken';
  return { holds, template: FORMS[holds] };
}

function refuseNothingToHold(
  { name, grant, secrets }: Connection,
  { holds }: Pick<ConnectionString, 'holds'>,
) {
  const isOwn = grant === 'client_credentials';
  if (holds === 'accessToken' || (!isOwn && secrets.clientSecrets.length > 0)) return;
  const lacks = isOwn ? 'refresh token' : 'client secret';
  throw new RotatorError({
    code: 'connection_string_unwritable',
    message: `The connection string contains a ${lacks}, and ${name} has none.`,
    fix: 'Add --form accessToken.',
  });
}

/** Without the address of a service a driver cannot connect. */
function refuseNoService({ name, serviceUrl }: Connection, { template }: Pick<ConnectionString, 'template'>) {
  if (serviceUrl !== undefined || !placeholdersIn(template).includes('serviceUrl')) return;
  throw new RotatorError({
    code: 'connection_string_unwritable',
    message: `The connection string of ${name} needs the address of a service, but the entry does not have one.`,
    fix: `Set connections.${name}.serviceUrl to the address of the service.`,
  });
}

/** Reads secrets only if `reveal` is set, and only those that the string contains. */
async function valuesOf(
  connection: Connection,
  holds: ConnectionString['holds'],
  { ports }: Connected,
  reveal: boolean,
): Promise<ConnectionStringValues> {
  const { clientId, secrets, vaults } = connection;
  const masks = { accessToken: MASK, refreshToken: MASK, clientId: MASK, clientSecret: MASK };
  const credential = ports.vault(vaults.credential);
  const id = async () =>
    clientId ?? (await required(credential, vaults.credential, secrets.clientId, 'the client id'));
  if (holds === 'accessToken') {
    if (!reveal) return masks;
    const accessToken = await publishedAccessToken(connection, ports.vault(vaults.token));
    return { ...masks, accessToken };
  }
  if (!reveal) return { ...masks, clientId: await id() };
  const read = (name: string, what: string) => required(credential, vaults.credential, name, what);
  return {
    ...masks,
    clientId: await id(),
    clientSecret: await read(secrets.clientSecrets[0] ?? '', 'the client secret'),
    refreshToken: await read(secrets.refreshToken, 'a refresh token'),
  };
}

/** The token that the rotator published. The value of another process, or the rotator's disabled placeholder, does not count. */
async function publishedAccessToken(
  { name, secrets, vaults }: Connection,
  vault: SecretVault,
): Promise<string> {
  const found = await readPublished(vault, secrets.accessToken);
  if (found?.value && isManaged(found.tags)) return found.value;
  throw new RotatorError({
    code: found?.value ? 'secret_not_managed' : 'secret_missing',
    message: `The rotator has not published an access token of ${name}: ${secrets.accessToken} in ${vaults.token} ${found?.value ? 'is not managed by the rotator' : 'has no token'}.`,
    fix: `Run rotator status ${name}.`,
  });
}

async function required(vault: SecretVault, url: string, name: string, what: string): Promise<string> {
  const secret = await vault.get(name);
  if (secret?.value.trim()) return bareValue(secret.value);
  throw unusableSecret(secret, { secret: name, vaultUrl: url, what });
}
