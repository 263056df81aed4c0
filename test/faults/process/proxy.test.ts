import { expect, test } from 'vitest';
import { readAccessToken, setSecret } from '../../../local/requests.ts';
import { localConnection } from '../../support/localConnection.ts';
import { startRig } from './rig.ts';
import { force, nextToken } from './stage.ts';

const STRICT = localConnection('strict');

test('a host behind fault proxies rotates, and the proxies name its token request', async () => {
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

test('a host behind fault proxies finds its token among more versions than fit on one page', async () => {
  const rig = await startRig([STRICT]);
  const pages: string[] = [];
  try {
    const host = await rig.startHost([STRICT], ({ operation }, moment) => {
      if (moment === 'before_forwarding' && operation.startsWith('versions')) pages.push(operation);
      return undefined;
    });
    const old = await nextToken(rig.servers, 'strict');
    const signedIn = await rig.servers.authorization.seedRefreshToken('strict');
    for (let times = 0; times < 30; times++) await setSecret(rig.servers, 'strict-refresh-token', signedIn);
    await force(host, 'strict');
    await nextToken(rig.servers, 'strict', old);
    expect(pages.length).toBeGreaterThan(1);
  } finally {
    await rig.close();
  }
});
