import { readFile, rename, stat, writeFile } from 'node:fs/promises';
import { parseConnections } from '../lib/config/parseConnections.ts';
import type { Settings } from '../lib/config/settings.ts';
import { RotatorError } from '../lib/errors.ts';
import type { Entry } from './connection.ts';

/**
 * Adds an entry to the connections file, in one step: whoever reads it meanwhile sees the old file or the new one.
 * @throws RotatorError where CONNECTIONS is no file, or would not be valid with the entry
 */
export async function appendEntry(name: string, entry: Entry, settings: Settings): Promise<string> {
  const { connectionsSource: source } = settings;
  if (source.kind !== 'file') throw noFile();
  const text = await readFile(source.path, 'utf8');
  const file = JSON.parse(text) as { connections: Record<string, unknown> };
  const next = `${JSON.stringify({ ...file, connections: { ...file.connections, [name]: entry } }, null, 2)}\n`;
  const before = parseConnections(text, settings).invalid.length;
  const { invalid } = parseConnections(next, settings);
  const problem = invalid.find((each) => each.name === name)?.problem ?? invalid.at(-1)?.problem;
  if (problem && invalid.length > before) throw new RotatorError(problem);
  const { mode } = await stat(source.path);
  await writeFile(`${source.path}.new`, next, { mode });
  await rename(`${source.path}.new`, source.path);
  return source.path;
}

function noFile(): RotatorError {
  return new RotatorError({
    code: 'configuration_invalid',
    message: 'CONNECTIONS is no file, so no entry can be added to it.',
    fix: 'Add the entry by hand.',
  });
}
