import { describe, expect, test } from 'vitest';
import { addressIn, attributeNamed } from '../../../lib/connectionString/attributes.ts';
import { odbc, parseOdbc } from '../../../lib/connectionString/odbc.ts';
import { thrownBy } from '../../support/thrown.ts';
import { EXAMPLE, EXAMPLE_ATTRIBUTES, REFRESH_TOKEN, replaced, written } from './support.ts';

const pairs = (text: string) => parseOdbc(text).map(({ name, value }) => [name, value]);

describe("the example of the driver's documentation", () => {
  test('is read, with =, // and + inside values', () => {
    expect(parseOdbc(EXAMPLE)).toMatchObject(EXAMPLE_ATTRIBUTES);
    expect(parseOdbc(EXAMPLE)).toHaveLength(EXAMPLE_ATTRIBUTES.length);
  });

  test('is written as it was read, except for its line breaks', () => {
    expect(written(parseOdbc(EXAMPLE), odbc)).toBe(EXAMPLE.replaceAll('\n', ''));
  });

  test('keeps every other byte when a value is replaced', () => {
    const refreshToken = attributeNamed(parseOdbc(EXAMPLE), 'refreshtoken');
    if (!refreshToken) throw new Error('not found');
    expect(replaced(EXAMPLE, refreshToken, 'another')).toBe(
      EXAMPLE.replace(`RefreshToken=${REFRESH_TOKEN};`, 'RefreshToken=another;'),
    );
  });
});

describe('reading', () => {
  test.each<[string, string, [string, string][]]>([
    ['nothing', '', []],
    ['only white space and semicolons', ' ;\r\n; ', []],
    [
      'no last semicolon',
      'A=1;B=2',
      [
        ['A', '1'],
        ['B', '2'],
      ],
    ],
    ['a byte order mark', '\ufeffA=1;', [['A', '1']]],
    [
      'spaces around names and values',
      ' A = 1 ;\tB\t=\t2\t;',
      [
        ['A', '1'],
        ['B', '2'],
      ],
    ],
    ['a name of several words', 'User ID=me;', [['User ID', 'me']]],
    [
      'empty values',
      'A=;B={};C= ',
      [
        ['A', ''],
        ['B', ''],
        ['C', ''],
      ],
    ],
    [
      'an empty attribute',
      'A=1;;B=2;',
      [
        ['A', '1'],
        ['B', '2'],
      ],
    ],
    [
      'a quoted value',
      'A={x;y};B=2;',
      [
        ['A', 'x;y'],
        ['B', '2'],
      ],
    ],
    ['doubled braces', 'A={a}}b{c}}}}d};', [['A', 'a}b{c}}d']]],
    ['spaces outside and inside braces', 'A= { x } ;', [['A', ' x ']]],
    ['a line break inside braces', 'A={x\ny};', [['A', 'x\ny']]],
    ['braces inside a value', 'A=x{y}z;', [['A', 'x{y}z']]],
    ['a value that begins with =', 'A==1;', [['A', '=1']]],
    [
      'Windows line ends',
      'A=1;\r\nB=2;\r\n',
      [
        ['A', '1'],
        ['B', '2'],
      ],
    ],
  ])('%s', (_, text, expected) => expect(pairs(text)).toEqual(expected));

  test('finds an attribute by its name in upper or lower case', () => {
    const attributes = parseOdbc('ServiceURL=one;DRIVER=two;');
    expect(attributeNamed(attributes, 'serviceurl')?.value).toBe('one');
    expect(attributeNamed(attributes, 'other')).toBeUndefined();
  });

  test.each([
    ['POST https://a.example/t', 'https://a.example/t'],
    ['post  https://a.example/t ', 'https://a.example/t'],
    ['https://a.example/POST x', 'https://a.example/POST x'],
  ])('finds the address in the token URI %j', (written, address) => {
    const [tokenUri] = parseOdbc(`TokenURI=${written};`);
    expect(addressIn(tokenUri?.value ?? '')).toBe(address);
  });
});

describe('the error for an invalid text names the place without repeating the text', () => {
  test.each<[string, string, number, string]>([
    ['a text without =', 'secret-text', 11, '"=" after the name of an attribute'],
    ['a name that a semicolon ends', 'A=1;secret;B=2', 10, '"=" after the name of an attribute'],
    ['a name that a line break ends', 'A=1;secret\nB=2', 10, '"=" after the name of an attribute'],
    ['no name', 'A=1; =secret;', 5, 'the name of an attribute'],
    ['a brace in a name', 'A=1;{secret}=2', 4, 'a character of the name of an attribute'],
    ['an open brace', 'A=1;B={secret;C=1;', 6, 'a value whose "{" is closed by a "}"'],
    ['an open brace with a doubled one', 'A={secret}}', 2, 'a value whose "{" is closed by a "}"'],
    ['text after a closing brace', 'A={x}secret;', 5, '";" after a value'],
    ['a missing semicolon', 'A=secret\nB=2;', 9, '";" after a value'],
    ['the same name again', 'Ab=1;\naB=secret', 6, 'a name that no attribute before it has'],
    ['NUL', 'A=secret\0;', 8, 'no NUL character'],
  ])('%s', (_, text, offset, expected) => {
    const error = thrownBy(() => parseOdbc(text));
    expect(error.code).toBe('connection_string_unreadable');
    expect(error.message).toContain(`at character ${offset + 1} `);
    expect(error.message).toContain(` ${expected} was expected.`);
    expect(error.message + error.fix).not.toContain('secret');
  });

  test('names line and column if there are several lines', () => {
    expect(thrownBy(() => parseOdbc('A=1;\nB={2')).message).toContain('at character 8 (line 2, column 3) ');
  });
});

describe('writing', () => {
  test.each([
    ['a+b//c=d', 'A=a+b//c=d;'],
    ['with spaces inside', 'A=with spaces inside;'],
    ['a;b', 'A={a;b};'],
    ['a}b', 'A={a}}b};'],
    ['{a', 'A={{a};'],
    [' a', 'A={ a};'],
    ['a\n', 'A={a\n};'],
    ['a\nb', 'A={a\nb};'],
    ['', 'A={};'],
    ['=a', 'A={=a};'],
    ["'a'", "A={'a'};"],
    ['"a"', 'A={"a"};'],
  ])('the value %j', (value, text) => expect(written([{ name: 'A', value }], odbc)).toBe(text));

  test('refuses a value with NUL', () => {
    const error = thrownBy(() => written([{ name: 'ClientSecret', value: 'secret\0' }], odbc));
    expect(error).toMatchObject({ code: 'connection_string_unwritable' });
    expect(error.message).toContain('ClientSecret');
    expect(error.message).not.toContain('secret\0');
  });
});
