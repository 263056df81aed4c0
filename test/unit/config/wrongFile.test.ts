import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { connectionEntry } from '../../../lib/config/connectionSchema.ts';
import { parseConnections } from '../../../lib/config/parseConnections.ts';
import { RotatorError } from '../../../lib/errors.ts';
import { thrownBy } from '../../support/thrown.ts';
import { CONTEXT, shown } from './support.ts';

const CANARY = 'canary-91cf';

it('an entry at the top is to be moved into connections', () => {
  const { fix } = thrownBy(() => parseConnections('{"crm":{"provider":"okta"}}', CONTEXT));
  expect(fix).toContain('Move crm into connections.');
  expect(fix).not.toContain('Remove');
});

it('an empty text has a fix that says what to write', () => {
  expect(thrownBy(() => parseConnections('\n', CONTEXT)).fix).toMatch(/^Write \{"connections": /);
});

describe('a text that is not valid as a whole is refused without repeating any of it', () => {
  it.each([
    ['nothing', '', 'The text of the connections is empty.'],
    ['white space', ' \n', 'is empty'],
    ['words', CANARY, 'is not valid JSON (line 1, column 1).'],
    ['a comma after the last member', `{"connections": {\n  "${CANARY}": {},\n}}`, 'line 3, column 1'],
    ['single quotes', `{'${CANARY}': 1}`, 'line 1, column 2'],
    ['a missing end', `{"connections":\r\n{"a":"${CANARY}"`, 'line 2, column 19'],
    ['hostile depth', '['.repeat(100_000), 'column 100001'],
    ['a list at the top', `["${CANARY}"]`, 'the file must be an object'],
    ['a text at the top', `"${CANARY}"`, 'the file must be an object'],
    ['null at the top', 'null', 'the file must be an object'],
    ['no connections', '{}', 'connections is missing'],
    ['a list of connections', `{"connections":["${CANARY}"]}`, 'connections must be an object'],
    ['null as connections', '{"connections":null}', 'connections must be an object'],
    [
      'an unknown key',
      '{"connections":{},"conections":{}}',
      'the top of the file has an unknown key conections',
    ],
    [
      'a connection at the top',
      `{"connections":{},"${CANARY}":{}}`,
      'the top of the file has an unknown key',
    ],
    ['a wrong $schema', '{"$schema":7,"connections":{}}', '$schema must be text'],
    ['a repeated key', '{"connections":{"a":{}},"connections":{}}', 'has a key that appears twice'],
    ['a prototype', '{"__proto__":{"connections":{}}}', 'connections is missing'],
  ])('%s', (_, text, expected) => {
    const problem = thrownBy(() => parseConnections(text, CONTEXT));
    expect(problem.code).toBe('configuration_invalid');
    expect(problem.message).toContain(expected);
    expect(problem.fix).toMatch(/^[A-Z].*[.?]$/);
    if (text.includes(`"${CANARY}":{}`)) return;
    expect(shown(problem)).not.toContain(CANARY);
  });

  it('suggests the known key for a misspelled one', () => {
    const { fix } = thrownBy(() => parseConnections('{"conections":{}}', CONTEXT));
    expect(fix).toContain('Rename conections to connections.');
  });
});

describe('for every text', () => {
  const keys = fc.oneof(
    fc.constantFrom(...Object.keys(connectionEntry.shape), 'clientSecret', '__proto__'),
    fc.string(),
  );
  const value = fc.oneof(
    fc.jsonValue(),
    fc.constantFrom<unknown>('entra', 'dynamics365', 'https://a/b', 60, true),
  );
  const name = fc.oneof(fc.constantFrom('a', 'A', 'b', '__proto__', 'constructor'), fc.string());
  const entries = fc.dictionary(name, fc.oneof(fc.dictionary(keys, value), value));
  const file = fc.oneof(
    fc.json(),
    fc.string(),
    entries.map((connections) => JSON.stringify({ connections })),
  );

  it('throws nothing but a RotatorError', () => {
    fc.assert(
      fc.property(file, (text) => {
        try {
          parseConnections(text, CONTEXT);
        } catch (thrown) {
          expect(thrown).toBeInstanceOf(RotatorError);
        }
      }),
      { numRuns: 2000 },
    );
  });

  it('returns each entry as valid or invalid, with a name that is safe to print', () => {
    fc.assert(
      fc.property(entries, (connections) => {
        const text = JSON.stringify({ connections });
        const { valid, invalid } = parseConnections(text, CONTEXT);
        expect(valid.length + invalid.length).toBe(Object.keys(JSON.parse(text).connections).length);
        for (const { name: printed } of invalid) expect(printed).toMatch(/^[!-~]+$/);
        for (const { problem } of invalid) expect(shown(problem)).toMatch(/^[ -~]+$/);
      }),
      { numRuns: 1000 },
    );
  });

  it('repeats no value of an entry', () => {
    const planted = fc.constantFrom<unknown>(CANARY, `${CANARY} _`, [CANARY], { a: CANARY }, [`${CANARY} _`]);
    fc.assert(
      fc.property(fc.dictionary(keys, fc.oneof(planted, fc.dictionary(keys, planted))), (entry) => {
        const { invalid } = parseConnections(JSON.stringify({ connections: { a: entry } }), CONTEXT);
        for (const { problem } of invalid) expect(shown(problem)).not.toContain(CANARY);
      }),
      { numRuns: 1000 },
    );
  });
});
