/**
 * Writes connections.schema.json from the schema that the program itself uses. With --check it writes nothing
 * and exits with 1 where the file is not current.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { connectionsJsonSchema } from '../lib/config/jsonSchema.ts';

const path = fileURLToPath(new URL('../connections.schema.json', import.meta.url));
const wanted = `${JSON.stringify(connectionsJsonSchema(), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(path, wanted);
} else if (readCurrent() !== wanted) {
  console.error(
    'connections.schema.json is not current; run "node scripts/writeSchema.ts" and commit the file.',
  );
  process.exitCode = 1;
}

/** A checkout on Windows may have other line ends. */
function readCurrent(): string {
  try {
    return readFileSync(path, 'utf8').replaceAll('\r\n', '\n');
  } catch {
    return '';
  }
}
