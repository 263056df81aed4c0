import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../../lib/errors.ts';
import { LOG_EVENTS } from '../../lib/logEvents.ts';
import { REASONS } from '../../lib/rotation/core/decide.ts';
import { RESULTS } from '../../lib/rotation/core/outcome.ts';
import { CONNECTION_STATES } from '../../lib/rotation/core/status.ts';

type Explained = readonly (readonly [name: string, sentences: readonly string[]])[];

const sentenceOf = (table: Readonly<Record<string, string>>): Explained =>
  Object.entries(table).map(([name, sentence]) => [name, [sentence]]);

const TABLES: readonly (readonly [title: string, names: Explained])[] = [
  ['connection states', sentenceOf(CONNECTION_STATES)],
  ['reasons', sentenceOf(REASONS)],
  ['results', sentenceOf(RESULTS)],
  ['error codes', Object.entries(ERROR_CODES).map(([code, { means, fix }]) => [code, [means, fix]])],
  ['log events', Object.entries(LOG_EVENTS).map(([event, { means }]) => [event, [means]])],
];

/** A sentence that fits into a cell of a Markdown table. */
const SENTENCE = /^[A-Z][^|\n]+\.$/;

describe.each(TABLES)('the table of %s', (_, names) => {
  test('explains each name in sentences', () => {
    expect(names.length).toBeGreaterThan(0);
    const unexplained = names.filter(([, sentences]) => !sentences.every((each) => SENTENCE.test(each)));
    expect(unexplained).toEqual([]);
  });

  test('has names of lower-case words', () => {
    expect(names.map(([name]) => name).filter((name) => !/^[a-z]+(_[a-z]+)*$/.test(name))).toEqual([]);
  });
});
