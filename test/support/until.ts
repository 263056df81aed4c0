import { expect, vi } from 'vitest';

/**
 * Asks again until the answer has these members, at most 30 seconds. For a rotator whose timer runs: it may rotate the connection at the same moment
 * (`in_progress`) or a second before (`cooldown`).
 */
export const until = (ask: () => Promise<unknown>, members: object) =>
  vi.waitFor(async () => expect(await ask()).toMatchObject(members), { timeout: 30_000, interval: 500 });
