import { fork } from 'node:child_process';
import { once } from 'node:events';
import { bundled } from './bundled.ts';
import type { BenchRotator } from './rotator.ts';
import type { Addresses, Commands } from './servers.ts';

/** The commands of the servers, as their messages allow. */
type Remote = {
  readonly [Name in keyof Commands]: (
    ...args: Parameters<Commands[Name]>
  ) => Promise<Awaited<ReturnType<Commands[Name]>>>;
};

/** Servers in a process of their own, and the rotators that use them. */
export interface Stage {
  readonly servers: Remote;
  readonly addresses: Addresses;
  /**
   * A rotator with the production adapters, as after a cold start.
   * @param isPaced keep to the quota of Key Vault: otherwise the quota would be all that is measured
   */
  rotator(entries: Readonly<Record<string, object>>, isPaced?: boolean): BenchRotator;
  close(): Promise<void>;
}

/** @param hosts the number of token endpoints */
export async function startStage(hosts: number): Promise<Stage> {
  const child = fork(new URL('servers.ts', import.meta.url), { stdio: 'inherit' });
  const waiting = new Map<number, PromiseWithResolvers<unknown>>();
  let asked = 0;
  child.on('message', (message: { id: number; result?: unknown; failure?: string }) => {
    const answer = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.failure === undefined) answer?.resolve(message.result);
    else answer?.reject(new Error(message.failure));
  });
  const call = (command: string, args: readonly unknown[]) => {
    const id = ++asked;
    const answer = Promise.withResolvers<unknown>();
    waiting.set(id, answer);
    child.send({ id, command, args });
    return answer.promise;
  };
  const servers = new Proxy({} as Remote, {
    get:
      (_, command) =>
      (...args: readonly unknown[]) =>
        call(String(command), args),
  });
  const addresses = await servers.start(hosts);
  const { rotatorOf, useServers } = (await import(
    await bundled('rotator.ts')
  )) as typeof import('./rotator.ts');
  useServers(addresses);
  return {
    servers,
    addresses,
    rotator: (entries, isPaced = false) => rotatorOf(addresses, entries, isPaced),
    close: async () => {
      child.disconnect();
      await once(child, 'exit');
    },
  };
}
