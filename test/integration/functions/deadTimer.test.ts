import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { accepted, readAccessToken } from '../../../local/requests.ts';
import { localConnection } from '../../support/localConnection.ts';
import { type Harness, startHarness } from './harness.ts';

const NAME = 'without-timer';

let harness: Harness;

beforeAll(async () => {
  // Every second, so that three intervals are short. The harness has no timer of its own.
  harness = await startHarness([localConnection(NAME)], (env) => {
    env.ROTATION_SCHEDULE = '* * * * * *';
  });
});
afterAll(async () => harness.close());

const probe = () => harness.http('health', 'GET', 'health');
const published = () => readAccessToken(NAME, harness.servers);

test('without a timer, probes publish a token and replace it before it expires', async () => {
  const tokens = new Set<string>();
  await vi.waitFor(
    async () => {
      await probe();
      const token = await published();
      if (token !== undefined) {
        expect(await accepted(token, harness.servers)).toBe(true);
        tokens.add(token);
      }
      expect(tokens.size).toBeGreaterThanOrEqual(2);
    },
    { timeout: 60_000, interval: 500 },
  );
  const { body } = await harness.http('connectionStatus', 'GET', 'connections');
  expect(Date.now() - Date.parse(body.lastSweep ?? '')).toBeLessThan(60_000);
  expect(harness.output.join('')).toContain('sweep_started_by_probe');
}, 90_000);

test('the probe says nothing but ok, or that no sweep runs, and how old that is', async () => {
  const { status, body } = await probe();
  const checked = expect.stringMatching(/^20.+Z$/);
  if (status === 200) expect(body).toEqual({ status: 'ok', checked });
  else expect(Object.keys(body).sort()).toEqual(['checked', 'fix', 'message', 'status']);
});
