import { expect, test, vi } from 'vitest';
import { START, startReading } from './support.ts';

// In a file of its own, because it waits for the 10 s after which a look is given up, as another test does.
test('a token reader does not wait for a vault that hangs while it has a valid token', async () => {
  const { vault, publish, token, at } = await startReading();
  await publish({ value: 'one', issuedAt: START, lifetime: 3600 });
  await token();
  const over = Promise.withResolvers<undefined>();
  let asked = 0;
  vault.intercept(() => {
    asked += 1;
    return over.promise;
  });
  at(3000);
  expect(await token()).toBe('one');
  at(3100);
  const begun = performance.now();
  expect(await token()).toBe('one');
  expect(performance.now() - begun).toBeLessThan(1_000);
  await vi.waitFor(() => expect(asked).toBe(2));
  over.resolve(undefined);
});
