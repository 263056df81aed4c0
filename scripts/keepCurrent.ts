import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Writes a generated file. Where the program was started with --check it writes nothing, and has the process end with 1 where the
 * file is not current.
 * @param name path from the top of the repository
 * @param command what brings the file up to date
 */
export function keepCurrent(name: string, wanted: string, command: string): void {
  const path = fileURLToPath(new URL(`../${name}`, import.meta.url));
  if (!process.argv.includes('--check')) {
    writeFileSync(path, wanted);
  } else if (readCurrent(path) !== wanted) {
    console.error(`${name} is not current; run "${command}" and commit the file.`);
    process.exitCode = 1;
  }
}

/** A checkout on Windows may have other line ends. */
function readCurrent(path: string): string {
  try {
    return readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
  } catch {
    return '';
  }
}
