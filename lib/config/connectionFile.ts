import { readFile, stat } from 'node:fs/promises';
import type { ReadText } from './connectionSource.ts';

/**
 * Reads a file if it differs from the one that `stamp` belongs to in modification time, size or file number. The stamp is
 * taken before the text, so the next call sees a change between the two.
 * @throws the error of `node:fs` if the file cannot be read
 */
export const readConnectionFile: ReadText = async (path, stamp) => {
  const stats = await stat(path, { bigint: true });
  // Reading a pipe could wait forever.
  if (!stats.isFile()) throw Object.assign(new Error('Not a regular file.'), { code: 'NOT_A_FILE' });
  const { mtimeNs, size, ino } = stats;
  const current = `${mtimeNs}-${size}-${ino}`;
  if (current === stamp) return 'unchanged';
  return { text: await readFile(path, 'utf8'), stamp: current };
};
