import { expect, it } from 'vitest';
import { createSaver } from '../../../local/authorizationServer/dataFile.ts';

function gatedWrites(): { write: () => Promise<void>; finish: (error?: Error) => void; count: () => number } {
  const writes: PromiseWithResolvers<void>[] = [];
  return {
    write: () => {
      const gate = Promise.withResolvers<void>();
      writes.push(gate);
      return gate.promise;
    },
    finish: (error) => (error ? writes.at(-1)?.reject(error) : writes.at(-1)?.resolve()),
    count: () => writes.length,
  };
}

/** Lets everything run that waits only for promises. */
const settle = () => new Promise((resolve) => setImmediate(resolve));

it('does not write without a change', async () => {
  const writes = gatedWrites();
  await createSaver(writes.write).flush();
  expect(writes.count()).toBe(0);
});

it('combines changes made during a write into the next one, and never runs two writes at the same time', async () => {
  const writes = gatedWrites();
  const saver = createSaver(writes.write);
  saver.changed();
  const first = saver.flush();
  await settle();
  saver.changed();
  const [second, third] = [saver.flush(), saver.flush()];
  await settle();
  expect(writes.count()).toBe(1);
  writes.finish();
  await first;
  await settle();
  expect(writes.count()).toBe(2);
  writes.finish();
  await Promise.all([second, third]);
  expect(writes.count()).toBe(2);
});

it('lets a flush without a new change wait for the current write', async () => {
  const writes = gatedWrites();
  const saver = createSaver(writes.write);
  saver.changed();
  const first = saver.flush();
  await settle();
  let done = false;
  const second = saver.flush().then(() => {
    done = true;
  });
  await settle();
  expect(done).toBe(false);
  writes.finish();
  await Promise.all([first, second]);
});

it('writes again after a failed write', async () => {
  const writes = gatedWrites();
  const saver = createSaver(writes.write);
  saver.changed();
  const first = saver.flush();
  await settle();
  writes.finish(new Error('disk full'));
  await expect(first).rejects.toThrow('disk full');
  const second = saver.flush();
  await settle();
  expect(writes.count()).toBe(2);
  writes.finish();
  await second;
});

it('drops changes made after close', async () => {
  const writes = gatedWrites();
  const saver = createSaver(writes.write);
  await saver.close();
  saver.changed();
  await saver.flush();
  expect(writes.count()).toBe(0);
});
