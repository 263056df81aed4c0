import { parse } from '@tediousjs/connection-string';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type Attribute, badCharacterIn, Unreadable } from '../../../lib/connectionString/attributes.ts';
import { jdbc, parseJdbc } from '../../../lib/connectionString/jdbc.ts';
import { odbc, parseOdbc } from '../../../lib/connectionString/odbc.ts';
import { parseOdbcIni } from '../../../lib/connectionString/odbcIni.ts';
import { quoted } from '../../../lib/connectionString/scan.ts';
import { fillIn } from '../../../lib/connectionString/template.ts';
import { replaced, written } from './support.ts';

const RUNS = { numRuns: 2_000 };

/** Text with many characters that have a meaning in one of the syntaxes, and with others. */
const dense = fc.string({
  unit: fc.constantFrom(...'{}[];=\'"#\\+/ \t\r\n\ufeff\u00a0\u2028ab$é😀', '}}', ';;', '{accessToken}'),
  maxLength: 12,
});
const text = fc.oneof(dense, fc.string({ unit: 'binary', maxLength: 20 }), fc.string({ maxLength: 20 }));
const value = text.filter((written) => !written.includes('\0'));
const name = fc
  .oneof(fc.constantFrom('ServiceURL', 'AccessToken', 'User ID'), fc.string({ minLength: 1, maxLength: 12 }))
  .filter((written) => written !== '' && written === written.trim() && badCharacterIn(written) === -1);
const listOf = (values: fc.Arbitrary<string>) =>
  fc.uniqueArray(fc.record({ name, value: values }), {
    maxLength: 8,
    selector: (attribute) => attribute.name.toLowerCase(),
  });
const plain = (attributes: readonly Attribute[]) => attributes.map(({ name, value }) => ({ name, value }));

test('any attributes survive being written and read as an ODBC connection string', () => {
  fc.assert(
    fc.property(listOf(value), (attributes) => {
      expect(plain(parseOdbc(written(attributes, odbc)))).toEqual(attributes);
    }),
    RUNS,
  );
});

test('any attributes without ; survive being written and read as a JDBC URL', () => {
  fc.assert(
    fc.property(listOf(value.map((written) => written.replaceAll(';', ':'))), (attributes) => {
      expect(plain(parseJdbc(written(attributes, jdbc)))).toEqual(attributes);
    }),
    RUNS,
  );
});

test('any attributes that fit on lines survive being written and read as a section of odbc.ini', () => {
  const line = value.map((written) => written.replaceAll(/[\r\n]/g, '').trim());
  const attributes = listOf(line).filter((list) => list.every((each) => !each.name.startsWith('#')));
  fc.assert(
    fc.property(attributes, (list) => {
      const lines = list.map(({ name, value }) => `${name}=${value}`);
      const [section, ...more] = parseOdbcIni(['[a source]', ...lines].join('\n'));
      expect(more).toEqual([]);
      expect(section?.name).toBe('a source');
      expect(plain(section?.attributes ?? [])).toEqual(list);
    }),
    RUNS,
  );
});

test('an independent parser reads the same values', () => {
  // That parser stores attributes in an object, which cannot have this name.
  const held = listOf(value).filter((list) => list.every((each) => each.name.toLowerCase() !== '__proto__'));
  fc.assert(
    fc.property(held, (attributes) => {
      const read = parse(written(attributes, odbc));
      for (const { name, value } of attributes) expect(read.get(name)).toBe(value);
    }),
    RUNS,
  );
});

test('any value that replaces another is read back, and nothing else changes', () => {
  const attributes = listOf(value).filter((list) => list.length > 0);
  fc.assert(
    fc.property(attributes, fc.nat(), value, (list, index, next) => {
      const place = index % list.length;
      for (const [read, syntax] of [
        [parseOdbc, odbc],
        [parseJdbc, jdbc],
      ] as const) {
        const spell = (each: string) => (syntax === jdbc ? each.replaceAll(';', ':') : each);
        const before = list.map((each) => ({ ...each, value: spell(each.value) }));
        const built = written(before, syntax);
        const attribute = read(built)[place];
        if (!attribute) throw new Error('lost');
        const after = replaced(built, attribute, quoted(attribute.name, spell(next), syntax));
        expect(plain(read(after))).toEqual(before.with(place, { name: attribute.name, value: spell(next) }));
      }
    }),
    RUNS,
  );
});

test('any access token in a template is read back', () => {
  const shape = fc.constantFrom(
    'T={accessToken};A=1',
    'T={{accessToken}};A=1;',
    ' T = {accessToken} ; A = {1} ;',
  );
  fc.assert(
    fc.property(shape, value, (text, accessToken) => {
      const filled = fillIn({ syntax: 'odbc', text }, { accessToken });
      expect(plain(parseOdbc(filled))).toEqual([
        { name: 'T', value: accessToken },
        { name: 'A', value: '1' },
      ]);
    }),
    RUNS,
  );
});

test('any text gives attributes with correct positions, or a RotatorError with a position', () => {
  const attribute = fc.tuple(name, text).map(([name, written]) => `${name}=${written}`);
  const long = fc.array(fc.oneof(text, attribute), { maxLength: 5 }).map((parts) => parts.join(';'));
  fc.assert(
    fc.property(fc.constantFrom('', '[a]\n', jdbc.prefix), long, (prefix, rest) => {
      const read = prefix + rest;
      for (const [parser, syntax] of [
        [parseOdbc, odbc],
        [parseJdbc, jdbc],
      ] as const) {
        const attributes = readOrRefuse(() => parser(read), read);
        const rewritten = attributes
          .toReversed()
          .reduce((text, each) => replaced(text, each, quoted(each.name, each.value, syntax)), read);
        if (attributes.length > 0) expect(plain(parser(rewritten))).toEqual(plain(attributes));
      }
      for (const { from, to, value } of readOrRefuse(() => parseOdbcIni(read), read).flatMap(
        ({ attributes }) => attributes,
      ))
        expect(read.slice(from, to)).toBe(value);
    }),
    RUNS,
  );
});

function readOrRefuse<T>(reader: () => readonly T[], text: string): readonly T[] {
  try {
    return reader();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(Unreadable);
    const [, character] = /at character (\d+) /.exec((thrown as Unreadable).message) ?? [];
    expect(Number(character)).toBeGreaterThanOrEqual(1);
    expect(Number(character)).toBeLessThanOrEqual(text.length + 1);
    return [];
  }
}

test('a hostile megabyte is read or refused as well', () => {
  for (const unit of ['}}', '{', 'a}}', ';', '=', 'A={}}};', '\n', ' ']) {
    const long = `A={${unit.repeat(1_000_000 / unit.length)}`;
    for (const read of [long, `${long}}`, `${long}};`]) {
      for (const parser of [parseOdbc, parseOdbcIni, (each: string) => parseJdbc(`${jdbc.prefix}${each}`)]) {
        readOrRefuse<unknown>(() => parser(read), `${jdbc.prefix}${read}`);
      }
    }
  }
});
