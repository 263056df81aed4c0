import { WriteStream } from 'node:tty';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { instructions, screenLine } from '../../../local/screen.ts';

const shown = (isFoundLocally: boolean) =>
  instructions({
    isFoundLocally,
    host: { url: 'http://127.0.0.1:1' },
    data: { file: (name: string) => name },
    servers: { tokenVault: { url: 'http://127.0.0.1:2' }, credentialVault: { url: 'http://127.0.0.1:3' } },
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
    vi.stubEnv('FORCE_COLOR', undefined);
    vi.stubEnv('NO_COLOR', undefined);
    vi.stubEnv('TERM', 'xterm-256color');
    expect(shown(rotated)).toContain('\u001b[32mrotated\u001b[39m');
    expect(shown(blocked)).toContain('\u001b[31mblocked\u001b[39m');
    vi.stubEnv('NO_COLOR', '1');
    expect(shown(rotated)).not.toContain('\u001b');
  });
});
