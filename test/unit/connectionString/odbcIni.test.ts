import { describe, expect, test } from 'vitest';
import { attributeNamed } from '../../../lib/connectionString/attributes.ts';
import { parseOdbcIni } from '../../../lib/connectionString/odbcIni.ts';
import { thrownBy } from '../../support/thrown.ts';
import { CLIENT_SECRET, REFRESH_TOKEN, replaced } from './support.ts';

const FILE = `; the data sources
[ODBC Data Sources]
Dynamics=DataDirect 8.0 Microsoft Dynamics 365

[Dynamics]
# set by hand
Driver = /opt/driver/lib/driver28.so\r
ClientSecret=${CLIENT_SECRET}
  TokenURI=POST https://login.example/token
Note=a;b # {c}
RefreshToken=${REFRESH_TOKEN}
Scope=`;

describe('an odbc.ini file', () => {
  test('is read by section, with values up to the end of the line', () => {
    expect(parseOdbcIni(FILE)).toMatchObject([
      { name: 'ODBC Data Sources', attributes: [{ name: 'Dynamics' }] },
      {
        name: 'Dynamics',
        attributes: [
          { name: 'Driver', value: '/opt/driver/lib/driver28.so' },
          { name: 'ClientSecret', value: CLIENT_SECRET },
          { name: 'TokenURI', value: 'POST https://login.example/token' },
          { name: 'Note', value: 'a;b # {c}' },
          { name: 'RefreshToken', value: REFRESH_TOKEN },
          { name: 'Scope', value: '' },
        ],
      },
    ]);
  });

  test('keeps every other byte when a value is replaced', () => {
    const [, section] = parseOdbcIni(FILE);
    const refreshToken = attributeNamed(section?.attributes ?? [], 'REFRESHTOKEN');
    if (!refreshToken) throw new Error('not found');
    expect(replaced(FILE, refreshToken, 'another')).toBe(FILE.replace(REFRESH_TOKEN, 'another'));
  });

  test('may have the same names in several sections', () => {
    expect(parseOdbcIni('[a]\nB=1\n[c]\nb=2').map(({ name }) => name)).toEqual(['a', 'c']);
  });

  test('may have a byte order mark, or be empty', () => {
    expect(parseOdbcIni('\ufeff[a]\nb=c')).toMatchObject([{ name: 'a', attributes: [{ value: 'c' }] }]);
    expect(parseOdbcIni('')).toEqual([]);
  });

  test('tells which section and which name counts of several', () => {
    const [section, ...more] = parseOdbcIni('[a]\nB=1\nb=2\n[ A ]\nB=3');
    expect(more).toEqual([]);
    expect(section).toMatchObject({ name: 'a', isRepeated: true, repeatedNames: ['b'] });
    expect(section?.attributes).toMatchObject([{ name: 'B', value: '1' }]);
  });

  test.each<[string, string, number, string]>([
    ['an attribute before any section', 'A=secret', 0, 'a section in brackets'],
    ['NUL', '[a]\nb=\0', 6, 'no NUL character'],
  ])('with %s is refused with the place of the error', (_, text, offset, expected) => {
    const error = thrownBy(() => parseOdbcIni(text));
    expect(error.code).toBe('connection_string_unreadable');
    expect(error.message).toContain(`at character ${offset + 1} `);
    expect(error.message).toContain(` ${expected} was expected.`);
    expect(error.message).not.toContain('secret');
  });
});
