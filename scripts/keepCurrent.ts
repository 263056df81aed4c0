import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/**
 * Writes a generated file. If the program was started with --check, it writes nothing, and the process ends with 1 if the
 * file is not current.
 * @param name path from the top of the repository
 * @param wantedFrom returns the whole text, made from the current one; its input is empty if the file does not exist
 * @param command the command that brings the file up to date
 */
export function keepCurrent(name: string, wantedFrom: (current: string) => string, command: string): void {
  const path = fileURLToPath(new URL(`../${name}`, import.meta.url));
  const current = readCurrent(path);
  const wanted = wantedFrom(current);
  if (!process.argv.includes('--check')) {
    writeFileSync(path, wanted);
  } else if (current !== wanted) {
    console.error(`${name} is not current; run "${command}" and commit the file.`);
    process.exitCode = 1;
  }
}

/**
 * The same for a part of a file, between two lines that mark it.
 * @throws Error if the file lacks a mark
 */
export function keepPartCurrent(name: string, [begin, end]: Marks, wanted: string, command: string): void {
  const withPart = (current: string) => {
    const [before, rest] = current.split(begin);
    const after = rest?.split(end)[1];
    if (before === undefined || after === undefined) throw new Error(`${name} lacks "${begin}" or "${end}".`);
    return `${before}${begin}\n${wanted}\n${end}${after}`;
  };
  keepCurrent(name, withPart, command);
}

type Marks = readonly [begin: string, end: string];

/** A checkout on Windows may have other line ends. */
function readCurrent(path: string): string {
  try {
    return readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
  } catch {
    return '';
  }
}
