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

test('a manual call returns the place of the mistake', async () => {
  const response = await harness.http('rotateConnection', 'POST', 'connections/a/rotate', { name: 'a' });
  expect(response).toMatchObject({ status: 500, body: { code: 'configuration_invalid' } });
  expect(String(response.body.detail)).toMatch(/line 1, column \d+/);
});

test('health says only that the rotator is unavailable', async () => {
  const response = await harness.http('health', 'GET', 'health');
  expect(response).toMatchObject({ status: 503, body: { status: 'unavailable' } });
});
