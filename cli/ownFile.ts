import { closeSync, constants, fstatSync, openSync, readFileSync, type Stats } from 'node:fs';
import { mkdir, stat } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Windows has neither of the two: its files have access lists instead of a mode, and no FIFO can be in their place. */
const { O_RDONLY, O_NONBLOCK = 0, O_NOFOLLOW = 0 } = constants;
/** The write permissions of the group and of all others. */
const OTHERS_MAY_WRITE = 0o022;

/**
 * Reads a file that this program wrote for itself. Another user may have put something else in its place: a FIFO that blocks
 * forever, a link to another file, or a file with other values.
 * @returns undefined if it does not exist
 * @throws Error with a message for users if it is not a regular file that only this user can write to, and the error of the
 *   file system if it cannot be read
 */
export function readOwnFile(path: string): string | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(path, O_RDONLY | O_NONBLOCK | O_NOFOLLOW);
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    if (code === 'ENOENT') return undefined;
    if (code === 'ELOOP' || code === 'ENXIO') throw refused(path, 'it is not a regular file');
    throw thrown;
  }
  try {
    const found = fstatSync(descriptor);
    const why = found.isFile() ? foreign(found) : 'it is not a regular file';
    if (why) throw refused(path, why);
    return readFileSync(descriptor, 'utf8');
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Makes a directory for files that contain secrets, if it does not exist.
 * @throws Error with a message for users if other users can write to it, and the error of the file system if it cannot be made
 */
export async function ensureOwnDirectory(path: string): Promise<void> {
  await makeDirectory(path);
  const why = foreign(await stat(path));
  if (why) throw new Error(`Cannot use the directory ${path}: ${why}. Choose a directory of your own.`);
}

/**
 * Makes a directory and those above it, for its owner only. Node's own `recursive` never ends in `/proc`, where a directory exists and
 * what is made in it does not.
 * @throws the error of the file system
 */
export async function makeDirectory(path: string): Promise<void> {
  try {
    await mkdir(path, { mode: 0o700 });
  } catch (thrown) {
    const { code } = thrown as NodeJS.ErrnoException;
    const isMissing = async (directory: string) => !(await stat(directory).catch(() => undefined));
    if (code === 'ENOENT' && (await isMissing(dirname(path)))) {
      await makeDirectory(dirname(path));
      return makeDirectory(path);
    }
    if (code !== 'EEXIST' || !(await stat(path)).isDirectory()) throw thrown;
  }
}

/** Why other users control a file or a directory; undefined if they do not. */
function foreign({ uid, mode }: Stats): string | undefined {
  const own = process.getuid?.();
  if (own === undefined) return undefined;
  if (uid !== own) return 'it belongs to another user';
  if ((mode & OTHERS_MAY_WRITE) !== 0) return 'other users can write to it';
  return undefined;
}

function refused(path: string, why: string): Error {
  return new Error(`Cannot use the file ${path}: ${why}. Remove it.`);
}
