import type { ContestedSecret } from './core/connection.ts';
import { isManaged } from './core/tags.ts';
import type { Ports } from './ports.ts';

/** One page of versions: the rotator writes the same connection to all of them. */
const ENOUGH = 25;

/**
 * The connections that a secret has belonged to so far: the one in the tags of the newest version that the rotator wrote, otherwise
 * those that were ever rotated. Several of them may read one client secret.
 * @returns none if neither is known
 * @throws RotatorError if the vault or the records cannot be read
 */
export async function ownersOfSecret(
  { vault: url, name, connections }: ContestedSecret,
  { vault, records }: Pick<Ports, 'vault' | 'records'>,
): Promise<readonly string[]> {
  const versions = await vault(url).versions(name, ENOUGH);
  const tagged = versions
    .filter(({ tags }) => isManaged(tags) && connections.includes(tags.connection ?? ''))
    .toSorted((one, other) => other.createdAt - one.createdAt)[0];
  if (tagged?.tags.connection !== undefined) return [tagged.tags.connection];
  const { summaries } = await records.list();
  return connections.filter((each) => summaries.get(each)?.rotatedAt !== undefined);
}
