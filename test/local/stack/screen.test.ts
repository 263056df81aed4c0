import { expect, test } from 'vitest';
import { instructions } from '../../../local/screen.ts';

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
