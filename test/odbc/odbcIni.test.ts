import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { parseOdbcIni } from '../../lib/connectionString/odbcIni.ts';

const loads = spawnSync('python3', ['-c', 'import ctypes; ctypes.CDLL("libodbcinst.so.2")']);
const isAbsent = loads.status !== 0;
if (isAbsent) {
  const message = 'The test of odbc.ini with its real reader needs python3 and unixodbc. Install them.';
  if (process.env.REQUIRE_ODBC === '1') throw new Error(message);
  console.warn(`SKIPPED: ${message}`);
}

type Sections = [string, [string, string][]][];

/** What unixODBC reads from each file: each section and each name as often as it occurs, with the value that it returns for the name. */
function readByUnixOdbc(texts: readonly string[]): Sections[] {
  const ended = spawnSync('python3', [join(import.meta.dirname, 'odbcIni.py')], {
    input: JSON.stringify(texts),
    encoding: 'utf8',
    maxBuffer: 100_000_000,
  });
  expect(ended.stderr).toBe('');
  return JSON.parse(ended.stdout) as Sections[];
}

/** The same without what occurs again. */
function firsts(sections: Sections): Sections {
  const first = <T>(all: [string, T][]) =>
    all.filter(([name], at) => all.findIndex(([each]) => each.toLowerCase() === name.toLowerCase()) === at);
  return first(sections).map(([name, attributes]) => [name, first(attributes)]);
}

function readHere(text: string): Sections {
  return parseOdbcIni(text).map(({ name, attributes }) => [
    name,
    attributes.map((each) => [each.name, each.value]),
  ]);
}

const LINES = [
  '[Dyn]', '[dyn]', '[ Dyn ]', '[Other]', '[Open', '[Dyn] more', '[a]b]',
  'RefreshToken=rt', 'refreshtoken=again', 'RefreshToken', 'RefreshToken=', ' RefreshToken\t= \t a b \t', 'RefreshToken="rt"',
  'A=b=c', 'A=;b#c', 'A={b}', 'foo(bar)=1', 'host[0]=x', 'User', '; comment=1', '#comment', '  ; comment', '', '   ', 'A=é\u00a0',
  '\u00a0A=1', 'A=b\\', "A='b'", 'A b = c d', 'A=\v1\f', 'é=1',
]; // biome-ignore format: as in a table

describe.skipIf(isAbsent)('an odbc.ini file means the same as to unixODBC', () => {
  test('in thousands of random files', () => {
    const file = fc
      .tuple(
        fc.array(fc.constantFrom(...LINES), { maxLength: 12 }),
        fc.constantFrom('\n', '\r\n'),
        fc.boolean(),
      )
      .map(([lines, end, isEnded]) => ['[First]', ...lines].join(end) + (isEnded ? end : ''));
    const texts = fc.sample(file, { numRuns: 3_000, seed: 1 });
    const read = readByUnixOdbc(texts);
    for (const [at, text] of texts.entries())
      expect(readHere(text), JSON.stringify(text)).toEqual(firsts(read[at] ?? []));
  });

  test('except for a line of more than 999 bytes, which unixODBC cuts into two', () => {
    const text = `[Dyn]\nRefreshToken=${'x'.repeat(1_100)}\n`;
    const [[, [[, value = ''] = []] = []] = []] = readByUnixOdbc([text])[0] ?? [];
    expect(`RefreshToken=${value}`).toHaveLength(999);
    expect(readHere(text)).toEqual([['Dyn', [['RefreshToken', 'x'.repeat(1_100)]]]]);
  });
});
