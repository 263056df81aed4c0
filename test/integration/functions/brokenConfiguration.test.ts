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

test('health says that the rotator is unavailable and since when, and not why', async () => {
  const { status, body } = await harness.http('health', 'GET', 'health');
  expect(status).toBe(503);
  expect(body).toMatchObject({
    status: 'unavailable',
    configuration: {
      message: expect.stringContaining('cannot read its connections'),
      fix: expect.stringContaining('/api/connections'),
      since: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    },
  });
  expect(JSON.stringify(body)).not.toContain('line 1');
});

test('the status of all connections names the mistake, its fix and since when it is there', async () => {
  const { status, body } = await harness.http('connectionStatus', 'GET', 'connections');
  expect(status).toBe(200);
  expect(body).toMatchObject({
    connections: [],
    configuration: {
      code: 'configuration_invalid',
      message: expect.stringContaining('not valid JSON (line 1, column'),
      fix: expect.stringContaining('Correct it there'),
      since: expect.stringMatching(/Z$/),
    },
  });
});
