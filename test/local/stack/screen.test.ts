import { WriteStream } from 'node:tty';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { instructions, screenLine } from '../../../local/screen.ts';

const shown = (isFoundLocally: boolean, directory = '') =>
  instructions(
    {
      isFoundLocally,
      host: { url: 'http://127.0.0.1:1' },
      data: { file: (name: string) => directory + name },
      servers: { tokenVault: { url: 'http://127.0.0.1:2' }, credentialVault: { url: 'http://127.0.0.1:3' } },
    },
    ['demo-grace', 'crm'],
  );

test('lists all connections, those that a user added as well', () => {
  expect(shown(true)).toMatch(
    /Connections:\n {2}demo-grace +a used refresh token .*\n {2}crm +added by you\n\n/,
  );
});

test('explains how to use a stack that the command line finds', () => {
  expect(shown(true)).toContain('npx rotator connect demo --local');
});

test('warns of production credentials, and shows no bearer token', () => {
  expect(shown(true)).toContain('Do not give it credentials of a production system');
  expect(shown(true)).not.toContain('Bearer');
});

test('does not send users of another stack to the wrong one', () => {
  expect(shown(false)).not.toContain('rotator connect');
  expect(shown(false)).toContain('Another local stack runs');
});

test('shows a fix with the command that applies it immediately', () => {
  expect(shown(true)).toMatch(/Fix the client secret[\s\S]*demo-wrong-secret\/rotate\?force=true/);
});

test.each([
  ['/home/me/a b/', '"@/home/me/a b/consumer-header.txt"'],
  [`/home/$HOME/it's "it" \`id\`/`, `'@/home/$HOME/it'\\''s "it" \`id\`/consumer-header.txt'`],
])('quotes the data directory %s for the shell', (directory, argument) => {
  expect(shown(true, directory)).toContain(`curl --header ${argument} "http`);
});

describe('a rotation on the screen', () => {
  const rotated = {
    time: '2026-01-31T23:30:05.123Z',
    level: 'info',
    event: 'rotation_finished',
    connection: 'crm',
    result: 'rotated',
    reason: 'due',
    generation: 2,
    expires: '2026-02-01T00:00:35.000Z',
    totalMs: 12,
  };
  const blocked = { ...rotated, level: 'warn', result: 'blocked', message: 'It is over.', fix: 'Sign in.' };
  const shown = (event: object) => screenLine(JSON.stringify(event));
  const { stdout } = process;
  const { isTTY, getColorDepth } = stdout;

  afterEach(() => {
    Object.assign(stdout, { isTTY, getColorDepth });
    vi.unstubAllEnvs();
  });

  test('has the time of this machine, not of Greenwich', () => {
    vi.stubEnv('TZ', 'Asia/Kolkata');
    expect(shown(rotated)).toBe(
      '05:00:05  crm                rotated (due): generation 2, token valid until 05:30:35, 12 ms',
    );
  });

  test('has colours on a terminal only, and not with NO_COLOR', () => {
    expect(shown(rotated)).not.toContain('\u001b');
    Object.assign(stdout, { isTTY: true, getColorDepth: WriteStream.prototype.getColorDepth });
    // Node asks all of these; a CI server has some of them.
    for (const name of ['FORCE_COLOR', 'NO_COLOR', 'NODE_DISABLE_COLORS', 'CI', 'TMUX', 'TEAMCITY_VERSION'])
      vi.stubEnv(name, undefined);
    vi.stubEnv('TERM', 'xterm-256color');
    expect(shown(rotated)).toContain('\u001b[32mrotated\u001b[39m');
    expect(shown(blocked)).toContain('\u001b[31mblocked\u001b[39m');
    vi.stubEnv('NO_COLOR', '1');
    expect(shown(rotated)).not.toContain('\u001b');
  });
});

const line = (event: string, fields: object, level = 'info') => {
  vi.stubEnv('TZ', 'UTC');
  const shown = screenLine(JSON.stringify({ time: '2026-01-01T10:20:30.000Z', level, event, ...fields }));
  vi.unstubAllEnvs();
  return shown;
};

const COUNTS = { connections: 5, valid: 4, paused: 1, invalid: 1 };

test.each([
  [
    'configuration_invalid',
    { message: 'It is not valid JSON.', fix: 'Correct it.' },
    'connections.json   It is not valid JSON. Correct it.',
  ],
  [
    'configuration_loaded',
    { ...COUNTS, changed: 2 },
    'connections.json   read again: 4 connections, 1 of them paused, 1 not valid',
  ],
  [
    'configuration_loaded',
    { ...COUNTS, changed: 0, paused: 0, invalid: 0, unreadableSince: '2026-01-01T10:20:00.000Z' },
    'connections.json   readable again: 4 connections',
  ],
  ['connection_changed', { connection: 'demo-grace', change: 'paused' }, 'demo-grace         paused'],
  [
    'connection_changed',
    { connection: 'demo-grace', change: 'valid_again' },
    'demo-grace         valid again',
  ],
])('shows %s under the name of the file or of the connection', (event, fields, text) => {
  expect(line(event, fields)).toBe(`10:20:30  ${text}`);
});

test('shows an unreadable file once, not with each sweep, and no first load', () => {
  expect(
    line('sweep_finished', { code: 'configuration_invalid', message: 'x', fix: 'y' }, 'warn'),
  ).toBeUndefined();
  expect(line('configuration_loaded', COUNTS)).toBeUndefined();
});
