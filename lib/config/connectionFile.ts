import { readFile, stat } from 'node:fs/promises';
import type { ReadText } from './connectionSource.ts';

/**
 * Reads a file where it is another than the one that `stamp` was given for: modification time, size and file
 * number tell. The stamp is taken before the text, so that a change between the two is seen at the next call.
 * @throws the error of `node:fs` where the file cannot be read
 */
export const readConnectionFile: ReadText = async (path, stamp) => {
  const { mtimeNs, size, ino } = await stat(path, { bigint: true });
  const current = `${mtimeNs}-${size}-${ino}`;
  if (current === stamp) return 'unchanged';
  return { text: await readFile(path, 'utf8'), stamp: current };
};
