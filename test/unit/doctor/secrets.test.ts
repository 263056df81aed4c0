import { expect, test } from 'vitest';
import { secretChecks } from '../../../lib/doctor/secrets.ts';
import { ACCESS_TOKEN, due, HOUR, type Scenario } from '../rotation/world/scenario.ts';

async function publishedCheck({ world, connection, process }: Scenario) {
  const now = world.now();
  const checks = await secretChecks(connection, process.ports, { record: world.record('crm'), now });
  return checks.find(({ check }) => check === 'access token');
}

test('a published token that expires at another time than the record says is a warning', async () => {
  const scenario = await due();
  const { tokens, now } = scenario.world;
  expect(await publishedCheck(scenario)).toMatchObject({ level: 'ok' });
  const { value = '', tags = {} } = tokens.latest(ACCESS_TOKEN) ?? {};
  tokens.put(ACCESS_TOKEN, value, { tags, expiresAt: now() + 100 * HOUR });
  expect(await publishedCheck(scenario)).toMatchObject({
    level: 'warning',
    message: expect.stringContaining('expires at another time'),
    fix: expect.stringContaining('rotator rotate crm --force'),
  });
});
