import { expect, test } from 'vitest';
import { instructions } from '../../../local/screen.ts';

const shown = (isFoundLocally: boolean) =>
  instructions({
    isFoundLocally,
    host: { url: 'http://127.0.0.1:1' },
    data: { file: (name: string) => name },
    servers: { tokenVault: { url: 'http://127.0.0.1:2' }, credentialVault: { url: 'http://127.0.0.1:3' } },
  });

test('the stack that the command line finds says how to use it', () => {
  expect(shown(true)).toContain('npx rotator connect demo --local');
});

test('another one does not lead to the wrong stack', () => {
  expect(shown(false)).not.toContain('rotator connect');
  expect(shown(false)).toContain('Another local stack runs');
});

test('a repair comes with the line that makes it count at once', () => {
  expect(shown(true)).toMatch(/Repair[\s\S]*demo-wrong-secret\/rotate\?force=true/);
});
