import { describe, expect, test } from 'vitest';
import { jdbc, parseJdbc } from '../../../lib/connectionString/jdbc.ts';
import { thrownBy } from '../../support/thrown.ts';
import { written } from './support.ts';

const PREFIX = 'jdbc:datadirect:dynamics365:';
const URL_TEXT = `${PREFIX}ServiceURL=https://a.example/api/;AuthenticationMethod=OAuth2;AccessToken=a+b/c=;`;

describe('a JDBC URL', () => {
  test('is written as it was read', () => {
    const attributes = parseJdbc(URL_TEXT);
    expect(attributes.map(({ name }) => name)).toEqual(['ServiceURL', 'AuthenticationMethod', 'AccessToken']);
    expect(written(attributes, jdbc)).toBe(URL_TEXT);
  });

  test.each<[string, string]>([
    ['{hello }', 'hello '],
    ['{{hello}}', '{hello}'],
    ['{a}b}', 'a}b'],
    ['{}', ''],
    ['', ''],
    ['a{b}', 'a{b}'],
  ])('reads the value %j as %j', (written, value) => {
    for (const end of ['', ';', ' ;B=2;'])
      expect(parseJdbc(`JDBC:DataDirect:dynamics365:A=${written}${end}`)[0]).toMatchObject({
        name: 'A',
        value,
      });
  });

  test.each<[string, string, number]>([
    ['another prefix', 'jdbc:datadirect:oracle://secret', 0],
    ['no prefix', 'ServiceURL=secret;', 0],
    ['a brace that is not closed before the semicolon', `${PREFIX}A={secret;B=}`, PREFIX.length + 2],
    ['text after the braces', `${PREFIX}A={x}secret;`, PREFIX.length + 5],
  ])('with %s is told with its place', (_, text, offset) => {
    const error = thrownBy(() => parseJdbc(text));
    expect(error.code).toBe('connection_string_unreadable');
    expect(error.message).toContain(`at character ${offset + 1} `);
    expect(error.message).not.toContain('secret');
  });

  test('cannot contain a semicolon in a value', () => {
    const error = thrownBy(() => written([{ name: 'AccessToken', value: 'secret;' }], jdbc));
    expect(error.code).toBe('connection_string_unwritable');
    expect(error.message).toContain('The value of AccessToken cannot be written in the JDBC URL');
    expect(error.message).not.toContain('secret');
  });
});
