import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Harness, startHarness } from './harness.ts';
import { logLines } from './logLines.ts';

let harness: Harness;

beforeAll(async () => {
  harness = await startHarness([], (env) => {
    env.CONNECTIONS = '{ "connections": { "a": {}, } }';
  });
});
afterAll(async () => harness.close());

test('the timer throws, so that the host shows a failed run', async () => {
  await expect(harness.tick()).rejects.toThrow('is not valid JSON (line 1, column');
  expect(logLines(harness.output).filter(({ level }) => level === 'error')).toMatchObject([
    { code: 'configuration_invalid' },
  ]);
});

test('a manual call answers with the place and the fix', async () => {
  const answer = await harness.http('rotateConnection', 'POST', 'connections/a/rotate', { name: 'a' });
  expect(answer).toMatchObject({ status: 500, body: { code: 'configuration_invalid' } });
  expect(String(answer.body.detail)).toMatch(/line 1, column \d+/);
});

test('health says no, and no more', async () => {
  const answer = await harness.http('health', 'GET', 'health');
  expect(answer).toMatchObject({ status: 503, body: { status: 'unavailable' } });
});
