import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { odbc, parseOdbc } from '../../lib/connectionString/odbc.ts';
import { fillIn } from '../../lib/connectionString/template.ts';
import { written } from '../unit/connectionString/support.ts';
import { DRIVER, missing, type Postgres, startPostgres } from './postgres.ts';

const absent = missing();
if (absent !== undefined) {
  const message = `The test of ODBC quoting with a real driver needs ${absent}. Install odbc-postgresql, postgresql and unixodbc.`;
  if (process.env.REQUIRE_ODBC === '1') throw new Error(message);
  console.warn(`SKIPPED: ${message}`);
}

/** Without braces, psqlODBC takes + for a space and %XX for a byte, so these values also contain characters that need braces. */
const PASSWORDS = [
  'plain',
  'with spaces inside',
  'a=b//c=',
  '=a',
  'a;b',
  ';',
  'a}b{c}}d',
  '}',
  '{',
  '{}',
  '}};{{',
  ' edges ',
  '"quoted"',
  "'quoted'",
  '"',
  'a\'b"c',
  'line\nbreak',
  'a+b;c%20d',
  'é😀{}',
  '[]{}(),;?*=!@',
  'AccessToken=x;UID=y',
];

describe.skipIf(absent !== undefined)(
  'psqlODBC logs in to PostgreSQL with values as templates quote them',
  () => {
    let postgres: Postgres;
    beforeAll(async () => {
      postgres = await startPostgres();
      for (const [index, password] of PASSWORDS.entries()) postgres.addUser(`user_${index}`, password);
    });
    afterAll(() => postgres.close());

    const login = (index: number, password: string) =>
      written(
        [
          { name: 'DRIVER', value: DRIVER },
          { name: 'Server', value: postgres.socketFolder },
          { name: 'Database', value: 'postgres' },
          { name: 'UID', value: `user_${index}` },
          { name: 'PWD', value: password },
        ],
        odbc,
      );

    test('each password arrives unchanged, and PostgreSQL refuses a wrong one', () => {
      const right = PASSWORDS.map((password, index) => login(index, password));
      const wrong = PASSWORDS.map((password, index) => login(index, `${password}x`));
      expect(connect(right)).toEqual(PASSWORDS.map((_, index) => `user_${index}`));
      expect(connect(wrong)).toEqual(PASSWORDS.map(() => null));
    });

    test('a string that is read and written again still logs in', () => {
      const again = PASSWORDS.map((password, index) => written(parseOdbc(login(index, password)), odbc));
      expect(connect(again)).toEqual(PASSWORDS.map((_, index) => `user_${index}`));
    });

    test('a template with its own braces keeps characters that psqlODBC would change without braces', () => {
      const user = `user_${PASSWORDS.length}`;
      const shared = `DRIVER=${DRIVER};Server=${postgres.socketFolder};Database=postgres;UID=${user};`;
      const accessToken = 'a+b%20c';
      postgres.addUser(user, accessToken);
      const filled = ['PWD={{accessToken}};', 'PWD={accessToken};'].map((password) =>
        fillIn({ syntax: 'odbc', text: shared + password }, { accessToken }),
      );
      expect(connect(filled)).toEqual([user, null]);
    });

    test('psqlODBC takes the last of two passwords, the ODBC reference the first: such a string is refused', () => {
      const twice = [`${login(0, 'wrong')}pwd=plain;`, `${login(0, 'plain')}pwd=wrong;`];
      expect(connect(twice)).toEqual(['user_0', null]);
      for (const text of twice)
        expect(() => parseOdbc(text)).toThrow('a name that no attribute before it has');
    });
  },
);

function connect(connectionStrings: readonly string[]): (string | null)[] {
  const script = join(import.meta.dirname, 'connect.py');
  const input = JSON.stringify(connectionStrings);
  const { stdout, stderr, status } = spawnSync('python3', [script], {
    input,
    encoding: 'utf8',
    timeout: 60_000,
  });
  if (status !== 0) throw new Error(`connect.py failed: ${stderr}`);
  return JSON.parse(stdout);
}
