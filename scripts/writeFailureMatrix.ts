/**
 * Writes the failure matrix of docs/reliability.md from the tables that the tests of test/faults/process run through. With
 * --check it writes nothing and exits with 1 where the document is not current.
 */

import { MODEL_ROWS } from '../test/faults/model/schedule.ts';
import { type Case, FREEZES, KILLS, LOST_RESPONSES, type Provider } from '../test/faults/process/cases.ts';
import { DRAINS, OUTAGES } from '../test/faults/process/outages.ts';
import { keepPartCurrent } from './keepCurrent.ts';

const BEGIN = '<!-- the failure matrix: written by scripts/writeFailureMatrix.ts -->';
const END = '<!-- end of the failure matrix -->';
const MATRIX_TEST = '`matrix.test.ts`';

function faultOf({ fault }: Case): string {
  if (fault.kind === 'kill') return 'SIGKILL';
  if (fault.kind === 'freeze') return `stopped for ${fault.ms / 1000} s`;
  return `response ${fault.name}`;
}

const MOMENTS = {
  before_forwarding: 'before the service receives the request',
  after_execution: 'after the service executed the request',
  after_response: 'after the service responded',
} as const;

/** One row for the cases that differ in the provider only. */
function rowsOf(cases: readonly Case[]): string[] {
  const rows = new Map<string, Map<Provider, string>>();
  for (const given of cases) {
    const key = [given.step.does, `${faultOf(given)}, ${MOMENTS[given.moment]}`].join(' | ');
    const row = rows.get(key) ?? new Map<Provider, string>();
    rows.set(key, row.set(given.provider, given.outcome === 'fresh' ? 'fresh' : '**lost, reported**'));
  }
  const cell = (row: Map<Provider, string>, provider: Provider) => row.get(provider) ?? '–';
  return [...rows].map(
    ([key, row]) =>
      `| ${key} | ${cell(row, 'strict')} | ${cell(row, 'grace')} | ${cell(row, 'reusable')} | ${MATRIX_TEST} |`,
  );
}

function matrix(): string {
  const outages = OUTAGES.map(
    ({ name, ms }) =>
      `| save the refresh token | the vault: ${name}, ${ms / 1000} s | saved when the vault is available again |  | – | \`outage.test.ts\` |`,
  );
  const drains = DRAINS.map(
    ({ step, when }) =>
      `| ${step.does} | the worker is told to end ${when} | fresh |  |  | \`drain.test.ts\` |`,
  );
  return [
    '| step | fault | single use | 60 s of grace | reusable | test |',
    '| --- | --- | --- | --- | --- | --- |',
    ...rowsOf([...KILLS, ...FREEZES, ...LOST_RESPONSES]),
    ...outages,
    ...drains,
    ...MODEL_ROWS.map((cells) => `| ${cells.join(' | ')} | \`model.test.ts\` |`),
  ].join('\n');
}

keepPartCurrent('docs/reliability.md', [BEGIN, END], matrix(), 'npm run matrix');
