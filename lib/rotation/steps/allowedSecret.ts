import { RotatorError } from '../../errors.ts';
import { type CredentialUse, isDefaultCredential } from '../../secretNames.ts';
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
 * @param named the name of a secret that is sent, or a key that signs
 * @param secret as it was read, before anything is made from its value
 * @throws RotatorError `secret_not_allowed`, `vault_*`
 */
export async function ensureAllowed(
  connection: Connection,
  named: NamedSecret,
  { tags }: Pick<Secret, 'tags'>,
  vault: SecretVault,
): Promise<void> {
  if (isAllowed(connection, named, tags)) return;
  const versions = isSilent(tags) ? await vault.versions(nameOf(named)) : [];
  if (versions.some((version) => permits(version.tags, connection.name))) return;
  throw notAllowed(connection, named);
}

/** The name of a secret that is sent, or a key of the client. */
export type NamedSecret = string | Pick<ClientKey, 'kind' | 'name'>;

/** The same for a key or certificate that signs in the vault. @throws RotatorError `secret_not_allowed` */
export function ensureKeyAllowed(
  connection: Connection,
  key: Pick<ClientKey, 'kind' | 'name'>,
  { tags }: Pick<VaultKey, 'tags'>,
): void {
  if (!isAllowed(connection, key, tags)) throw notAllowed(connection, key);
}

function isAllowed(connection: Connection, named: NamedSecret, tags: Tags): boolean {
  const use = typeof named === 'string' ? 'sent' : 'key';
  return !needsTag(connection, nameOf(named), use) || permits(tags, connection.name);
}

function nameOf(named: NamedSecret): string {
  return typeof named === 'string' ? named : named.name;
}

/** Does the connection need a tag at this credential, because neither its name nor an app setting allows it? */
export function needsTag(
  { name: connection, allowedSecrets = [] }: Connection,
  name: string,
  use: CredentialUse,
): boolean {
  return !isDefaultCredential(connection, name, use) && !allowedSecrets.includes(name.toLowerCase());
}

function permits(tags: Tags, connection: string): boolean {
  const names = [tags[ONE] ?? '', ...(tags[SEVERAL] ?? '').split(/[\s,]+/)];
  return names.some((name) => name === '*' || name.toLowerCase() === connection.toLowerCase());
}

function isSilent(tags: Tags): boolean {
  return tags[ONE] === undefined && tags[SEVERAL] === undefined;
}

function notAllowed({ name: connection, vaults }: Connection, named: NamedSecret): RotatorError {
  const { kind, name } = typeof named === 'string' ? { kind: 'secret', name: named } : named;
  const vault = /^([\w-]+)\.vault\./.exec(URL.parse(vaults.credential)?.hostname ?? '')?.[1];
  const command = `run az keyvault ${kind} set-attributes --vault-name ${vault} --name ${name} --tags connections=${connection} (this replaces its tags)`;
  // Azure CLI does not know the vaults of the local stack.
  const setTag = vault === undefined ? `set its tag connections=${connection}` : command;
  return new RotatorError({
    code: 'secret_not_allowed',
    message: `The entry of ${connection} names the ${kind} ${name} in ${vaults.credential}, which does not allow that. Nothing was sent.`,
    fix: `If ${connection} may use it, ${setTag}, or add ${name} to the app setting ALLOWED_SECRETS. Otherwise correct ${typeof named === 'string' ? 'secrets' : 'clientKey'} of ${connection}.`,
  });
}
