import { readFile, stat } from 'node:fs/promises';
import type { ReadText } from './connectionSource.ts';

/**
 * Reads a file where it is another than the one that `stamp` was given for: modification time, size and file
 * number tell. The stamp is taken before the text, so that a change between the two is seen at the next call.
 * @throws the error of `node:fs` where the file cannot be read
 */
export const readConnectionFile: ReadText = async (path, stamp) => {
  const stats = await stat(path, { bigint: true });
  // A pipe would be waited for without end.
  if (!stats.isFile()) throw Object.assign(new Error('It is no regular file.'), { code: 'NOT_A_FILE' });
  const { mtimeNs, size, ino } = stats;
  const current = `${mtimeNs}-${size}-${ino}`;
  if (current === stamp) return 'unchanged';
  return { text: await readFile(path, 'utf8'), stamp: current };
};
