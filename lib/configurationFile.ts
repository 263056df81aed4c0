import { readFile, stat } from 'node:fs/promises';

/**
 * Reads a configuration file where it changed.
 * @param stamp what an earlier call returned; time, size and inode tell a change
 * @throws what the file system throws
 */
export async function readConfigurationFile(
  path: string,
  stamp?: string,
): Promise<{ text: string; stamp: string } | 'unchanged'> {
  const { mtimeMs, size, ino } = await stat(path);
  const present = `${mtimeMs}/${size}/${ino}`;
  return present === stamp ? 'unchanged' : { text: await readFile(path, 'utf8'), stamp: present };
}
