import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { resultLines } from '../../cli/commands/rotate.ts';
import { readImported } from '../../cli/importedText.ts';
import { createTerminal } from '../../cli/terminal.ts';
import { rotateVia, sweepVia } from '../../cli/viaHttp.ts';
import { printable, printableJson, safeSentence } from '../../lib/safeText.ts';
import { thrownBy } from '../support/thrown.ts';

/** Escape sequences with one and two characters, a bell, a fake line, bidirectional overrides, and invisible characters. */
const HOSTILE = [
  '\u001b[2J\u001b]0;title\u0007\u001b[31mred',
  '\u009b2J\u0085',
  'back\bspace\rcarriage\0nul\u007f',
  '\u202eevisrever\u202c\u2066isolated\u2069',
  'zero\u200bwidth\u200d\u2060\ufeff',
  'separated\u2028lines\u2029',
  'lone\ud800surrogate\udfff\ue000private',
].join('');
const UNPRINTABLE = /(?!\n)[\p{C}\p{Zl}\p{Zp}]/u;

afterEach(() => void vi.restoreAllMocks());

/** What the command line writes to stdout and stderr meanwhile. */
function written(work: () => void): string {
  let text = '';
  const write = (chunk: unknown) => {
    text += String(chunk);
    return true;
  };
  vi.spyOn(process.stdout, 'write').mockImplementation(write);
  vi.spyOn(process.stderr, 'write').mockImplementation(write);
  work();
  vi.restoreAllMocks();
  return text;
}

describe('the terminal prints nothing that controls it', () => {
  test.each([false, true])('in any kind of output: JSON %s', (json) => {
    const problem = { code: 'internal_error', message: HOSTILE, fix: HOSTILE } as const;
    const text = written(() => {
      const terminal = createTerminal({ json, verbose: false });
      terminal.say(HOSTILE);
      terminal.hint(HOSTILE);
      terminal.problem(problem);
      terminal.result({ [HOSTILE]: HOSTILE }, [HOSTILE, terminal.paint('red', HOSTILE)]);
    });
    expect(text).toContain('red');
    expect(text).not.toMatch(UNPRINTABLE);
  });

  test('except for its own colours', () => {
    vi.stubEnv('FORCE_COLOR', '1');
    onTestFinished(() => void vi.unstubAllEnvs());
    const text = written(() => {
      const terminal = createTerminal({ json: false, verbose: false });
      terminal.say(`${terminal.paint('green', 'fresh')} \u001b[32mfaked\u001b[39m`);
    });
    expect(text.replaceAll('\u001b[32mfresh\u001b[39m', 'fresh')).toBe('fresh ?[32mfaked?[39m\n');
  });

  test('and loses nothing in JSON', () => {
    expect(JSON.parse(printableJson({ [HOSTILE]: HOSTILE }))).toEqual({ [HOSTILE]: HOSTILE });
  });

  test('and keeps other languages, line breaks and tabs', () => {
    expect(printable('Größe\t日本\n')).toBe('Größe\t日本\n');
    expect(safeSentence(`two\n  lines ${'x'.repeat(9_000)}`)).toMatch(/^two lines x{990}\.\.\.$/);
  });
});

describe('an imported text', () => {
  const message = (text: string) => {
    const { message: what, fix } = thrownBy(() => readImported(text, 'another'));
    return `${what} ${fix}`;
  };

  test('shows the names of its sections only in a printable and short form', () => {
    const name = HOSTILE.replace(/[\r\n\0\]]/g, '');
    const shown = message(`[${name}]\nA=1\n[${'long'.repeat(500)}]\nA=1\n`);
    expect(shown).toContain('--section to one of: ?[2J');
    expect(shown).not.toMatch(UNPRINTABLE);
    expect(shown.length).toBeLessThan(300);
  });

  test.each([
    [
      'a secret that ends at its semicolon',
      'RefreshToken=r;ClientSecret=piece-one;piece two=x;TokenURI=https://a.example;',
    ],
    ['a token that ends at its semicolon', 'ClientSecret=s;RefreshToken=piece-one;piece two==;'],
    [
      'a client id that ends at its semicolon',
      'RefreshToken=r;ClientID=piece-one;piece two=1;ClientSecret=s',
    ],
    ['a brace that is not closed', 'RefreshToken=r;ClientSecret={piece-one;piece two=x'],
    ['text after a closing brace', 'RefreshToken=r;ClientSecret={piece-one}piece two;'],
    ['an end in the middle of a name', 'RefreshToken=r;ClientSecret=s;piece-one'],
    [
      'a secret of a JDBC URL that ends at its semicolon',
      'jdbc:datadirect:dynamics365:RefreshToken=piece-one;piece two=x;',
    ],
    ['JSON that ends too early', '{"refresh_token":"r","client_secret":"piece-one'],
    ['JSON that is nested too deeply', `${'{"a":'.repeat(10)}{"refresh_token":"piece-one"}${'}'.repeat(10)}`],
  ])('that cannot be read completely is refused without repeating a part of it: %s', (_, text) => {
    const shown = message(text);
    expect(shown).not.toContain('piece');
    expect(thrownBy(() => readImported(text, undefined))).toMatchObject({
      code: expect.stringMatching(/^(input|connection_string)_unreadable$/),
    });
  });

  test('is read although the driver has more options, which are counted and not named', () => {
    const text = 'Fancy=1;DRIVER={x};ClientSecret=s;LogonDomain=d;RefreshToken={r;x};ClientID=c';
    expect(readImported(text, undefined)).toEqual({
      clientSecret: 's',
      refreshToken: 'r;x',
      clientId: 'c',
      left: 2,
      repeated: [],
    });
  });
});

describe('a response through --via', () => {
  async function via(status: number, body: string): Promise<string> {
    const server = createServer((_, response) => void response.writeHead(status).end(body));
    onTestFinished(() => void server.close().closeAllConnections());
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const cli = {
    options: {},
    terminal: createTerminal({ json: false, verbose: false }),
    env: {},
    interrupted: new AbortController().signal,
  };

  test('names the connection of the user, whatever it names', async () => {
    const url = await via(200, JSON.stringify({ result: 'rotated', connection: HOSTILE, generation: 3 }));
    expect(await rotateVia(url, 'crm', false, cli)).toEqual({
      result: 'rotated',
      connection: 'crm',
      generation: 3,
    });
  });

  test('shows its sentences on one line, short and printable', async () => {
    const sentence = `${HOSTILE}\n${'long '.repeat(1_000)}`;
    const url = await via(409, JSON.stringify({ code: 'client_rejected', detail: sentence, fix: sentence }));
    const shown = resultLines(await rotateVia(url, 'crm', false, cli)).join('\n');
    expect(shown.split('\n')).toHaveLength(3);
    expect(shown).not.toMatch(UNPRINTABLE);
    expect(shown.length).toBeLessThan(2_200);
  });

  test.each([
    ['a time that is not valid', { result: 'rotated', accessTokenExpires: 'never' }],
    ['a generation that is not a number', { result: 'rotated', generation: HOSTILE }],
    ['more than 64 KB', { result: 'rotated', more: 'x'.repeat(70_000) }],
  ])('counts as none of the rotator: %s', async (_, body) => {
    const url = await via(200, JSON.stringify(body));
    await expect(rotateVia(url, 'crm', false, cli)).resolves.toMatchObject({
      result: 'retrying',
      problem: { message: expect.stringContaining('is not a response of the rotator') },
    });
  });

  test.each([[{ connections: HOSTILE }], [{ results: { [HOSTILE]: 1 } }], ['text']])(
    'with a summary that is not one is refused: %#',
    async (change) => {
      const summary = {
        connections: 1,
        due: 1,
        invalid: 0,
        postponed: 0,
        overdue: 0,
        results: {},
        durationMs: 1,
      };
      const whole = await via(200, JSON.stringify(summary));
      expect(await sweepVia(whole, cli)).toEqual(summary);
      const body = typeof change === 'string' ? change : { ...summary, ...change };
      await expect(sweepVia(await via(200, JSON.stringify(body)), cli)).rejects.toMatchObject({
        code: 'internal_error',
        message: expect.stringContaining('is not a response of the rotator'),
      });
    },
  );
});
