import { describe, expect, it } from 'vitest';
import type { ConnectionRecord } from '../../../lib/rotation/core/record.ts';
import type { RecordList } from '../../../lib/rotation/ports.ts';
import { RecordView } from '../../../lib/rotation/recordView.ts';
import { recordNamed } from './world/record.ts';

const NOW = Date.UTC(2026, 10, 26);

/** A store whose records others change, and a clock. */
function start(size: number) {
  const summaries = new Map<string, { phase: 'idle'; generation: number; nextAttemptAt: number }>();
  for (let position = 0; position < size; position++)
    summaries.set(`crm-${position}`, { phase: 'idle', generation: 1, nextAttemptAt: NOW });
  let passed = 0;
  let lists = 0;
  let meanwhile = () => {};
  const list = async (): Promise<RecordList> => {
    lists += 1;
    const shown = new Map(summaries);
    await Promise.resolve();
    meanwhile();
    return { now: NOW + passed, summaries: shown, leased: new Set() };
  };
  const view = new RecordView();
  const clock = { monotonic: () => 500 + passed, sleep: async () => {} };
  return {
    view,
    summaries,
    pass: (ms: number) => {
      passed += ms;
    },
    during: (act: () => void) => {
      meanwhile = act;
    },
    lists: () => lists,
    sweep: () => view.list({ records: { list }, clock }),
  };
}

const rotated = (name: string): ConnectionRecord => ({
  ...recordNamed(name),
  generation: 2,
  nextAttemptAt: NOW + 1,
});

describe('the list of a sweep', () => {
  it.each([
    [100, 10, 6],
    [10_000, 10, 3],
    [50_000, 10, 2],
    [100_000, 10, 2],
  ])('of %i records is asked for again the later the longer it is', async (size, seconds, lists) => {
    const { sweep, pass, ...store } = start(size);
    for (let sweeps = 0; sweeps < 6; sweeps++) {
      await sweep();
      pass(seconds * 1000);
    }
    expect(store.lists()).toBe(lists);
  });

  it('has the time of the service, also if it is an older one', async () => {
    const { sweep, pass } = start(10_000);
    expect((await sweep()).now).toBe(NOW);
    pass(10_000.7);
    expect((await sweep()).now).toBe(NOW + 10_000);
  });

  it('knows what this process has read or written since', async () => {
    const { view, sweep } = start(10_000);
    await sweep();
    view.note(rotated('crm-7'));
    view.note(rotated('new'));
    const { summaries } = await sweep();
    expect(summaries.get('crm-7')).toMatchObject({ generation: 2, nextAttemptAt: NOW + 1 });
    expect(summaries.get('new')).toMatchObject({ generation: 2 });
    expect(summaries.get('crm-8')).toMatchObject({ generation: 1 });
  });

  it('does not show less than this process has written while it was asked for', async () => {
    const { view, sweep, during } = start(10_000);
    during(() => view.note(rotated('crm-7')));
    expect((await sweep()).summaries.get('crm-7')).toMatchObject({ generation: 2 });
  });

  it('shows what others have done since the last note', async () => {
    const { view, sweep, pass, summaries } = start(10_000);
    view.note(rotated('crm-7'));
    await sweep();
    summaries.set('crm-7', { phase: 'idle', generation: 3, nextAttemptAt: NOW });
    pass(20_000);
    expect((await sweep()).summaries.get('crm-7')).toMatchObject({ generation: 3 });
  });

  it('does not show a record that is gone', async () => {
    const { sweep, pass, summaries } = start(10_000);
    await sweep();
    summaries.delete('crm-7');
    pass(20_000);
    expect((await sweep()).summaries.get('crm-7')).toBeUndefined();
  });

  it('is asked for again after a failure', async () => {
    const { sweep, during, pass, lists } = start(10_000);
    await sweep();
    pass(20_000);
    during(() => {
      throw new Error('unreachable');
    });
    await expect(sweep()).rejects.toThrow('unreachable');
    during(() => {});
    await sweep();
    expect(lists()).toBe(3);
  });
});
