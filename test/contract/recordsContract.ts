import { describe, expect, it } from 'vitest';
import { type ConnectionRecord, newRecord } from '../../lib/rotation/core/record.ts';
import type { RecordStore } from '../../lib/rotation/ports.ts';

/** One record store, and its surroundings that the cases need. */
export interface RecordsSide {
  readonly store: RecordStore;
  /** The service's clock in milliseconds. */
  now(): number;
  /** Lets time pass until a lease that was acquired before this call has expired. */
  leaseExpires(): Promise<void>;
  readonly operator: {
    /** Writes a record without its lease after the lease has ended. */
    overwrite(record: ConnectionRecord): Promise<unknown>;
    /** Deletes a record, leased or not. */
    delete(name: string): Promise<unknown>;
  };
}

/** A time in milliseconds whose seconds have ten digits. */
const NEWEST = 1_000_000_000_000;
const FOREIGN_LEASE = '00000000-0000-4000-8000-000000000000';

/** A record with every property. */
const FULL: ConnectionRecord = {
  ...newRecord('crm'),
  phase: { state: 'requesting', startedAt: 1_000, firstStartedAt: 900, awaitedUntil: 61_000 },
  vaults: { credential: 'credentials.vault.example', token: 'tokens.vault.example' },
  version: 'f'.repeat(32),
  replacedAwaitedUntil: 100_000,
  epoch: 7,
  generation: 3,
  nextAttemptAt: 2_000.5,
  rotatedAt: 800,
  forcedAt: 700,
  accessToken: { issuedAt: 800, expiresAt: 4_400, expiresInIsDefault: true },
  refreshTokenExpiresAt: 9_000,
  publishable: 'https://tokens.vault.example/crm-access-token',
  failure: {
    code: 'outcome_unknown',
    message: 'Überraschung 🔑',
    fix: 'x',
    since: 1,
    at: 2,
    count: 3,
    blocked: true,
    clearedBy: [{ secret: 'crm-refresh-token', version: null }],
    fingerprint: 'abc',
  },
  history: [
    { result: 'rotated', at: 1_000 },
    { result: 'outcome_unknown', code: 'outcome_unknown', at: 2_999 },
  ],
};

/** The behavior of every record store: the real adapter on Blob Storage and the one in memory. */
export function describeRecords(start: () => Promise<RecordsSide>): void {
  describe('the note of a sweep', () => {
    it('is missing at first, then has the time at which it was written, and is not a record', async () => {
      const { store, now } = await start();
      expect(await store.list()).not.toHaveProperty('sweptAt');
      const before = now();
      await store.noteSweep();
      const { sweptAt = 0, summaries } = await store.list();
      expect(sweptAt).toBeGreaterThanOrEqual(Math.floor(before / 1000) * 1000);
      expect(sweptAt).toBeLessThanOrEqual(now());
      expect(summaries.size).toBe(0);
    });
  });

  describe('a record', () => {
    const either = [
      ['a new one', newRecord('crm')],
      ['one with every property', FULL],
    ] as const;

    it.each(either)('has the content with which it was created: %s', async (_, record) => {
      const { store } = await start();
      await store.create(record);
      expect(await store.read('crm')).toEqual(record);
    });

    it.each(either)('has the content that was written last: %s', async (_, record) => {
      const { store } = await start();
      await store.create({ ...FULL, epoch: 1 });
      expect(await store.write(record, await leaseOf(store, 'crm'))).toBe(true);
      expect(await store.read('crm')).toEqual(record);
    });

    it('is undefined until it is created', async () => {
      const { store } = await start();
      expect(await store.read('crm')).toBeUndefined();
    });

    it('is not created over an existing one, leased or not', async () => {
      const { store } = await start();
      await store.create(FULL);
      await store.create(newRecord('crm'));
      await leaseOf(store, 'crm');
      await store.create(newRecord('crm'));
      expect(await store.read('crm')).toEqual(FULL);
    });

    it('is created only once by many callers at the same time', async () => {
      const { store } = await start();
      await Promise.all([1, 2, 3, 4].map((epoch) => store.create({ ...FULL, epoch })));
      const created = await store.read('crm');
      expect([1, 2, 3, 4]).toContain(created?.epoch);
      await store.create(newRecord('crm'));
      expect(await store.read('crm')).toEqual(created);
    });

    it('is the same in any case of its name, and is read with the name of the request', async () => {
      const { store } = await start();
      await store.create({ ...FULL, connection: 'Crm' });
      await store.create({ ...newRecord('CRM') });
      expect(await store.read('crm')).toEqual(FULL);
      expect([...(await store.list()).summaries.keys()]).toEqual(['Crm']);
      const leaseId = await leaseOf(store, 'crm');
      expect(await store.acquireLease('CRM')).toBe('taken');
      expect(await store.renewLease('CRM', leaseId)).toBe(true);
      expect(await store.write({ ...FULL, connection: 'CRM', epoch: 8 }, leaseId)).toBe(true);
      expect((await store.read('crm'))?.epoch).toBe(8);
      expect([...(await store.list()).summaries.keys()]).toEqual(['CRM']);
      await store.releaseLease('CRM', leaseId);
      await leaseOf(store, 'crm');
    });
  });

  describe('a list of records', () => {
    it('is empty at first', async () => {
      const { store } = await start();
      expect((await store.list()).summaries.size).toBe(0);
    });

    it('has the summary of each record by its name', async () => {
      const { store } = await start();
      await store.create(FULL);
      await store.create(newRecord('other'));
      expect(Object.fromEntries((await store.list()).summaries)).toEqual({
        crm: {
          phase: 'requesting',
          awaitedUntil: 61_000,
          credentialVault: 'credentials.vault.example',
          tokenVault: 'tokens.vault.example',
          generation: 3,
          nextAttemptAt: 2_000.5,
          expiresAt: 4_400,
          expiresInIsDefault: true,
          refreshTokenExpiresAt: 9_000,
          rotatedAt: 800,
          failureCode: 'outcome_unknown',
          failureMessage: '?berraschung ?',
          failureFix: 'x',
          history: '1:rotated,2:outcome_unknown:outcome_unknown',
          blocked: true,
          failureCount: 3,
          failingSince: 1,
        },
        other: { phase: 'idle', generation: 0, nextAttemptAt: 0 },
      });
    });

    it('shows what was written last', async () => {
      const { store } = await start();
      await store.create(FULL);
      await store.write({ ...newRecord('crm'), generation: 4 }, await leaseOf(store, 'crm'));
      const { summaries } = await store.list();
      expect(summaries.get('crm')).toEqual({ phase: 'idle', generation: 4, nextAttemptAt: 0 });
    });

    it('shows what has changed since the list before, and what has not', async () => {
      const { store } = await start();
      await store.create(FULL);
      await store.create(newRecord('other'));
      const { crm } = Object.fromEntries((await store.list()).summaries);
      await store.write({ ...newRecord('other'), generation: 1 }, await leaseOf(store, 'other'));
      await store.create(newRecord('third'));
      expect(Object.fromEntries((await store.list()).summaries)).toEqual({
        crm,
        other: { phase: 'idle', generation: 1, nextAttemptAt: 0 },
        third: { phase: 'idle', generation: 0, nextAttemptAt: 0 },
      });
    });

    it('names the records that are leased', async () => {
      const { store, leaseExpires } = await start();
      await store.create(FULL);
      await store.create(newRecord('other'));
      expect((await store.list()).leased).toEqual(new Set());
      await leaseOf(store, 'crm');
      const leaseId = await leaseOf(store, 'other');
      expect((await store.list()).leased).toEqual(new Set(['crm', 'other']));
      await store.releaseLease('other', leaseId);
      expect((await store.list()).leased).toEqual(new Set(['crm']));
      await leaseExpires();
      expect((await store.list()).leased).not.toContain('crm');
    });

    it('stays within the limits of the service, however long the texts and the history are', async () => {
      const { store } = await start();
      const failure = { ...FULL.failure, message: '"é" '.repeat(500), fix: 'f'.repeat(3_000) };
      const outcome = { result: 'outcome_unknown', code: 'x'.repeat(64), at: NEWEST } as const;
      const longest = { ...FULL, failure, history: Array(16).fill(outcome) } as ConnectionRecord;
      await store.create(longest);
      expect(await store.write(longest, await leaseOf(store, 'crm'))).toBe(true);
      const { failureMessage, failureFix, history } = (await store.list()).summaries.get('crm') ?? {};
      expect(failureMessage).toBe(`${'"?" '.repeat(250)}...`);
      expect(failureFix).toBe(`${'f'.repeat(1_000)}...`);
      expect(history?.split(',')).toHaveLength(16);
    });

    it('has the time of the service in whole seconds, like a lease', async () => {
      const { store, now } = await start();
      await store.create(FULL);
      const second = Math.floor(now() / 1000) * 1000;
      const listed = await store.list();
      const lease = await store.acquireLease('crm');
      const leased = typeof lease === 'string' ? expect.fail(lease) : lease;
      for (const time of [listed.now, leased.now]) {
        expect(time % 1000).toBe(0);
        expect(time).toBeGreaterThanOrEqual(second);
        expect(time).toBeLessThanOrEqual(now());
      }
    });
  });

  describe('a lease', () => {
    it('has only one holder at a time', async () => {
      const { store } = await start();
      await store.create(FULL);
      const first = await leaseOf(store, 'crm');
      expect(await store.acquireLease('crm')).toBe('taken');
      await store.releaseLease('crm', first);
      expect(await leaseOf(store, 'crm')).not.toBe(first);
    });

    it('is absent if there is no record', async () => {
      const { store } = await start();
      expect(await store.acquireLease('crm')).toBe('absent');
      expect(await store.renewLease('crm', FOREIGN_LEASE)).toBe(false);
      expect(await store.write(FULL, FOREIGN_LEASE)).toBe(false);
      await store.releaseLease('crm', FOREIGN_LEASE);
      expect(await store.read('crm')).toBeUndefined();
    });

    it('can be renewed and released only by its holder', async () => {
      const { store } = await start();
      await store.create(FULL);
      const leaseId = await leaseOf(store, 'crm');
      expect(await store.renewLease('crm', leaseId)).toBe(true);
      expect(await store.renewLease('crm', FOREIGN_LEASE)).toBe(false);
      await store.releaseLease('crm', FOREIGN_LEASE);
      expect(await store.acquireLease('crm')).toBe('taken');
      await store.releaseLease('crm', leaseId);
      expect(await store.renewLease('crm', leaseId)).toBe(false);
    });

    it('allows writes only by its holder', async () => {
      const { store } = await start();
      await store.create(FULL);
      const first = await leaseOf(store, 'crm');
      expect(await store.write({ ...FULL, epoch: 8 }, first)).toBe(true);
      expect(await store.write({ ...FULL, epoch: 9 }, FOREIGN_LEASE)).toBe(false);
      await store.releaseLease('crm', first);
      expect(await store.write({ ...FULL, epoch: 10 }, first)).toBe(false);
      const second = await leaseOf(store, 'crm');
      expect(await store.write({ ...FULL, epoch: 11 }, first)).toBe(false);
      expect((await store.read('crm'))?.epoch).toBe(8);
      expect(await store.write({ ...FULL, epoch: 12 }, second)).toBe(true);
    });

    it('is lost with the record, and does not return with a new one', async () => {
      const { store, operator } = await start();
      await store.create(FULL);
      const leaseId = await leaseOf(store, 'crm');
      await operator.delete('crm');
      for (const create of [false, true]) {
        if (create) await store.create(newRecord('crm'));
        expect(await store.renewLease('crm', leaseId)).toBe(false);
        expect(await store.write(FULL, leaseId)).toBe(false);
        await store.releaseLease('crm', leaseId);
      }
      expect(await store.read('crm')).toEqual(newRecord('crm'));
      await leaseOf(store, 'crm');
    });
  });

  // On the real service, each of these waits for a lease to expire, so they wait in parallel.
  describe.concurrent('a lease that expired', { timeout: 60_000 }, () => {
    it('can be renewed by its holder if no other process has acquired it', async ({ expect }) => {
      const { store, leaseExpires } = await start();
      await store.create(FULL);
      const leaseId = await leaseOf(store, 'crm');
      await leaseExpires();
      expect(await store.renewLease('crm', leaseId)).toBe(true);
      expect(await store.acquireLease('crm')).toBe('taken');
      expect(await store.write({ ...FULL, epoch: 8 }, leaseId)).toBe(true);
    });

    it('allows no writes until it is renewed', async ({ expect }) => {
      const { store, leaseExpires } = await start();
      await store.create(FULL);
      const leaseId = await leaseOf(store, 'crm');
      await leaseExpires();
      expect(await store.write({ ...FULL, epoch: 8 }, leaseId)).toBe(false);
      expect(await store.read('crm')).toEqual(FULL);
    });

    it('can be acquired by another process, and the first holder can no longer use it', async ({
      expect,
    }) => {
      const { store, leaseExpires } = await start();
      await store.create(FULL);
      const first = await leaseOf(store, 'crm');
      await leaseExpires();
      const second = await leaseOf(store, 'crm');
      expect(second).not.toBe(first);
      expect(await store.renewLease('crm', first)).toBe(false);
      expect(await store.write({ ...FULL, epoch: 8 }, first)).toBe(false);
      await store.releaseLease('crm', first);
      expect(await store.acquireLease('crm')).toBe('taken');
      expect(await store.write({ ...FULL, epoch: 9 }, second)).toBe(true);
    });

    it('cannot be renewed after the record was written without it', async ({ expect }) => {
      const { store, leaseExpires, operator } = await start();
      await store.create(FULL);
      const leaseId = await leaseOf(store, 'crm');
      await leaseExpires();
      await operator.overwrite({ ...FULL, epoch: 8 });
      expect(await store.renewLease('crm', leaseId)).toBe(false);
      expect((await store.read('crm'))?.epoch).toBe(8);
    });
  });
}

async function leaseOf(store: RecordStore, name: string): Promise<string> {
  const lease = await store.acquireLease(name);
  return typeof lease === 'string' ? expect.fail(lease) : lease.leaseId;
}
