import { RotatorError } from '../../errors.ts';
import { isDefaultCredential } from '../../secretNames.ts';
import type { ClientKey, Connection } from '../core/connection.ts';
import type { Tags } from '../core/tags.ts';
import type { Secret, SecretVault, VaultKey } from '../ports.ts';

/** Who may use a secret: one connection, which the rotator and its commands write, or several, which an operator writes. */
const ONE = 'connection';
const SEVERAL = 'connections';

/**
 * Refuses a secret that the entry of a connection names, unless the vault or an app setting says that the connection may use it.
 * A writer of the connections file could otherwise have any secret of the vault sent to a server of the writer's choice. The default
 * names of a connection need no permission. A new version without tags keeps the permission of the versions before it.
 * @param secret as it was read, before anything is made from its value
 * @throws RotatorError `secret_not_allowed`, `vault_*`
 */
export async function ensureAllowed(
  connection: Connection,
  name: string,
  { tags }: Pick<Secret, 'tags'>,
  vault: SecretVault,
): Promise<void> {
  if (isAllowed(connection, name, tags)) return;
  const versions = isSilent(tags) ? await vault.versions(name) : [];
  if (versions.some((version) => permits(version.tags, connection.name))) return;
  throw notAllowed(connection, 'secret', name);
}

/** The same for a key or certificate that signs in the vault. @throws RotatorError `secret_not_allowed` */
export function ensureKeyAllowed(
  connection: Connection,
  { kind, name }: Pick<ClientKey, 'kind' | 'name'>,
  { tags }: Pick<VaultKey, 'tags'>,
): void {
  if (!isAllowed(connection, name, tags)) throw notAllowed(connection, kind, name);
}

function isAllowed(connection: Connection, name: string, tags: Tags): boolean {
  return !needsTag(connection, name) || permits(tags, connection.name);
}

/** Does the connection need a tag at this credential, because neither its name nor an app setting allows it? */
export function needsTag({ name: connection, allowedSecrets = [] }: Connection, name: string): boolean {
  return !isDefaultCredential(connection, name) && !allowedSecrets.includes(name.toLowerCase());
}

function permits(tags: Tags, connection: string): boolean {
  const names = [tags[ONE] ?? '', ...(tags[SEVERAL] ?? '').split(/[\s,]+/)];
  return names.some((name) => name === '*' || name.toLowerCase() === connection.toLowerCase());
}

function isSilent(tags: Tags): boolean {
  return tags[ONE] === undefined && tags[SEVERAL] === undefined;
}

function notAllowed(
  { name: connection, vaults }: Connection,
  kind: ClientKey['kind'],
  name: string,
): RotatorError {
  const vault = /^([\w-]+)\.vault\./.exec(URL.parse(vaults.credential)?.hostname ?? '')?.[1];
  const command = `run az keyvault ${kind} set-attributes --vault-name ${vault} --name ${name} --tags connections=${connection} (this replaces its tags)`;
  // Azure CLI does not know the vaults of the local stack.
  const setTag = vault === undefined ? `set its tag connections=${connection}` : command;
  return new RotatorError({
    code: 'secret_not_allowed',
    message: `The entry of ${connection} names the ${kind} ${name} in ${vaults.credential}, which does not allow that. Nothing was sent.`,
    fix: `If ${connection} may use it, ${setTag}, or add ${name} to the app setting ALLOWED_SECRETS. Otherwise correct ${kind === 'secret' ? 'secrets' : 'clientKey'} of ${connection}.`,
  });
}
