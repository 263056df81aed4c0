import { describe, expect, test } from 'vitest';
import { fillIn, placeholdersIn, type Template } from '../../../lib/connectionString/template.ts';
import { thrownBy } from '../../support/thrown.ts';

const values = { accessToken: 'a;b}c', serviceUrl: 'https://a.example/' };
const filled = (syntax: Template['syntax'], text: string) => fillIn({ syntax, text }, values);

describe('a template', () => {
  test.each<[Template['syntax'], string, string]>([
    ['odbc', 'URL={serviceUrl};T={accessToken};', 'URL=https://a.example/;T={a;b}}c};'],
    ['odbc', 'Header=Bearer {accessToken};X=1', 'Header={Bearer a;b}}c};X=1'],
    ['odbc', 'T = { {accessToken} } ;', 'T = { a;b}}c } ;'],
    ['odbc', '\nA={x;y};\r\nT={accessToken};', '\nA={x;y};\r\nT={a;b}}c};'],
    ['odbc', 'T={accessToken}', 'T={a;b}}c}'],
    ['odbc', 'U={{serviceUrl}};', 'U={https://a.example/};'],
    ['raw', 'Authorization: Bearer {accessToken}', 'Authorization: Bearer a;b}c'],
    ['raw', '{"token":"{accessToken}"}', '{"token":"a;b}c"}'],
    [
      'jdbc',
      'jdbc:datadirect:dynamics365:ServiceURL={serviceUrl};',
      'jdbc:datadirect:dynamics365:ServiceURL=https://a.example/;',
    ],
  ])('in %s: %j', (syntax, text, expected) => expect(filled(syntax, text)).toBe(expected));

  test('inserts a value with a dollar sign or a placeholder unchanged', () => {
    const odd = { accessToken: "$&$1$'{serviceUrl}", serviceUrl: 'x' };
    expect(fillIn({ syntax: 'raw', text: 'T={accessToken}' }, odd)).toBe("T=$&$1$'{serviceUrl}");
    expect(fillIn({ syntax: 'odbc', text: 'T={accessToken};U={serviceUrl};' }, odd)).toBe(
      "T={$&$1$'{serviceUrl}}};U=x;",
    );
  });

  test('lists its placeholders', () => {
    expect(placeholdersIn({ syntax: 'raw', text: '{a} {b}{a} {c d} {}' })).toEqual(['a', 'b', 'a']);
  });

  test.each<[string, string, number]>([
    ['no attribute', 'T{accessToken}', 1],
    ['a placeholder in a name', 'T{accessToken}=1', 1],
    ['an open brace', 'T={Bearer {accessToken};', 2],
    ['a private-use character', 'T=\ue000', 2],
  ])('with %s cannot be used', (_, text, offset) => {
    const error = thrownBy(() => filled('odbc', text));
    expect(error.code).toBe('connection_string_unreadable');
    expect(error.message).toContain(`at character ${offset + 1} `);
  });

  test('refuses a value that its syntax cannot represent', () => {
    const text = 'jdbc:datadirect:dynamics365:AccessToken={accessToken};';
    expect(thrownBy(() => filled('jdbc', text)).code).toBe('connection_string_unwritable');
  });
});
