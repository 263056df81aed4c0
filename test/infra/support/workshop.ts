import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ROOT } from './bicepCli.ts';

/** A change of one file below the root. */
export interface Change {
  readonly file: string;
  /** Must occur exactly once. If it is empty, the text is added at the end. */
  readonly find: string;
  readonly replace: string;
}

/**
 * Copies the Bicep and the parameter files, changes the copy, and removes it after use.
 * @param use receives the folder that replaces the root
 * @throws Error if the text to replace does not occur exactly once
 */
export async function withChange<T>(change: Change, use: (root: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'infra-'));
  try {
    for (const part of ['infra', join('test', 'infra', 'parameters')]) {
      cpSync(join(ROOT, part), join(folder, part), { recursive: true });
    }
    const file = join(folder, change.file);
    writeFileSync(file, changed(readFileSync(file, 'utf8').replaceAll('\r\n', '\n'), change));
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

function changed(text: string, { file, find, replace }: Change): string {
  if (find === '') return `${text}${replace}\n`;
  const parts = text.split(find);
  if (parts.length !== 2) throw new Error(`"${find}" occurs ${parts.length - 1} times in ${file}`);
  return parts.join(replace);
}
