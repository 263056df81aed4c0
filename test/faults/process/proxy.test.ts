import { expect, test } from 'vitest';
import type { LocalConnection } from '../../../local/connections.ts';
import { readAccessToken } from '../../../local/consumer.ts';
import { startRig } from './rig.ts';

const STRICT: LocalConnection = {
  name: 'strict',
  rotation: 'single_use',
  clientAuthentication: 'client_secret_basic',
  description: '',
};

test('a host behind fault proxies rotates, and every request of it is named', async () => {
  const rig = await startRig([STRICT]);
  const seen: string[] = [];
  try {
    await rig.startHost([STRICT], ({ service, operation }, moment) => {
      if (moment === 'before_forwarding') seen.push(`${service}: ${operation}`);
      return undefined;
    });
    while ((await readAccessToken('strict', rig.servers)) === undefined)
      await new Promise((resolve) => setTimeout(resolve, 50));
    expect(seen).toContain('token_endpoint: grant');
  } finally {
    await rig.close();
  }
});
