import { describe, expect, test } from 'vitest';
import { FREEZES, KILLS, LOST_RESPONSES, titleOf } from './process/cases.ts';
import { DRAINS, OUTAGES } from './process/outages.ts';
import { type Findings, problemsOf, rowsOfFindings } from './summary.ts';

const NAMES = [
  ...[...KILLS, ...FREEZES, ...LOST_RESPONSES].map((given) => `a rotation with a fault > ${titleOf(given)}`),
  '8 processes sweep and take manual calls at once, for 200 rotations: never two token requests of one connection in flight',
  ...OUTAGES.map(({ name }) => `the vault refuses the refresh token of a new token response > ${name}`),
  ...DRAINS.map(({ when }) => `a process that gets the signal to end > ${when}`),
];
const KILLED = {
  name: 'no lease',
  failed: 'lease.test.ts',
  history: undefined,
  problem: undefined,
  seconds: 1,
};
const WELL: Findings = {
  model: { tally: new Map([['schedules', 3]]), violations: [] },
  processes: NAMES.map((name) => ({ name, isPassed: true })),
  mutants: [KILLED],
};

describe('the summary of npm run faults', () => {
  test('counts each test with real processes under one kind', () => {
    const rows = new Map(rowsOfFindings(WELL));
    expect(rows.get('model: schedules')).toBe('3');
    expect(rows.get('model: avoidable token losses and other violations')).toBe('0');
    expect(rows.get('processes: kills')).toBe(`${KILLS.length} of ${KILLS.length} as promised`);
    expect(rows.get('processes: races')).toBe('1 of 1 as promised');
    expect(rows.get('processes: other')).toBe('0 of 0 as promised');
    expect(rows.get('mutants killed')).toBe('1 of 1');
    const counted = [...rows].filter(([name]) => name.startsWith('processes'));
    expect(counted.reduce((sum, [, text]) => sum + Number.parseInt(text, 10), 0)).toBe(NAMES.length);
  });

  test('reports no problem if everything passed', () => expect(problemsOf(WELL)).toEqual([]));

  test.for<[string, Partial<Findings>, string]>([
    ['a violation', { model: { ...WELL.model, violations: ['seed 7: lost'] } }, 'seed 7: lost'],
    ['a failed test', { processes: [...WELL.processes, { name: 'x', isPassed: false }] }, 'Failed: x'],
    ['a mutant that no test noticed', { mutants: [{ ...KILLED, failed: undefined }] }, 'Survived: no lease'],
    ['a mutant that could not be judged', { mutants: [{ ...KILLED, problem: 'x' }] }, 'Survived: no lease'],
    [
      'a model that played no history',
      { model: { tally: new Map(), violations: [] } },
      'The model played no history.',
    ],
    ['a run without mutants', { mutants: [] }, 'The findings contain no mutant.'],
    [
      'a kind without tests',
      { processes: WELL.processes.slice(0, -DRAINS.length) },
      'No test counts as drains.',
    ],
  ])('reports %s as a problem', ([, changes, problem]) => {
    expect(problemsOf({ ...WELL, ...changes })).toEqual([problem]);
  });
});
