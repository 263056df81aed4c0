import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { expect, onTestFinished, test } from 'vitest';
import { longestGapMs, nextRunOf, scheduleProblem } from '../../lib/config/schedule.ts';
import { ROOT } from '../examples/installConsumer.ts';
import { runProgram } from '../examples/runProgram.ts';

const SCHEDULES = 6000;
const ON_ANY_MACHINE = 300_000;
const SECOND = 1000;

/** What NCrontab says of a schedule; null if it refuses it. */
type Answer = {
  readonly runs: readonly number[];
  readonly longestGap: number;
  readonly hasMoreRuns: boolean;
} | null;

test('schedules are read exactly as NCrontab reads them', { timeout: ON_ANY_MACHINE }, async ({ skip }) => {
  const directory = await mkdtemp(join(tmpdir(), 'rotator-ncrontab-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  await cp(join(ROOT, 'test/ncrontab/oracle'), directory, { recursive: true });
  const dotnet = (...args: string[]) => {
    const env = { ...process.env, DOTNET_CLI_TELEMETRY_OPTOUT: '1', DOTNET_NOLOGO: '1' };
    return runProgram('dotnet', args, { cwd: directory, env });
  };
  const restored = await dotnet('restore');
  if (restored.code !== 0 && process.env.REQUIRE_DOTNET !== '1') {
    skip('This machine has no .NET SDK 10 or cannot reach NuGet, so nothing is compared with NCrontab.');
  }
  expect(restored, restored.output).toMatchObject({ code: 0 });
  const built = await dotnet('build', '--no-restore', '--output', 'out');
  expect(built, built.output).toMatchObject({ code: 0 });

  const questions = [
    ...KNOWN.map((text) => ({ text, after: Date.UTC(2026, 11, 31, 23, 59, 58) / SECOND })),
    ...fc.sample(question, { numRuns: SCHEDULES, seed: 20 }),
  ];
  await writeFile(join(directory, 'questions.json'), JSON.stringify(questions));
  const asked = await dotnet('out/Oracle.dll', 'questions.json');
  expect(asked.code, asked.output).toBe(0);
  const answers: Answer[] = JSON.parse(asked.output);

  const ours = questions.map(({ text, after }, index) => ({
    text,
    ...ourAnswer(text, after, answers[index]),
  }));
  const theirs = questions.map(({ text }, index) => ({ text, ...theirAnswer(answers[index]) }));
  expect(ours).toEqual(theirs);
  // Enough of both kinds, so that the comparison says something.
  expect(answers.length).toBe(questions.length);
  expect(answers.filter((answer) => answer === null).length).toBeGreaterThan(SCHEDULES / 5);
  expect(answers.filter((answer) => answer?.runs.length).length).toBeGreaterThan(SCHEDULES / 5);
});

function theirAnswer(answer: Answer | undefined) {
  if (!answer) return { refused: true };
  const { runs, longestGap, hasMoreRuns } = answer;
  if (runs.length === 0) return { neverRuns: true };
  return hasMoreRuns ? { runs, longestGapIsReached: true } : { runs, longestGap };
}

function ourAnswer(text: string, after: number, answer: Answer | undefined) {
  const gap = longestGapMs(text);
  if (gap === undefined) {
    return scheduleProblem(text) === 'no date matches it' ? { neverRuns: true } : { refused: true };
  }
  const runs: number[] = [];
  for (let at = after; runs.length < (answer?.runs.length ?? 1); ) {
    at = (nextRunOf(text)(at * SECOND) ?? Number.NaN) / SECOND;
    runs.push(at);
  }
  // NCrontab's are counted up to a limit: of a frequent schedule, it may not have come to the longest one.
  return answer?.hasMoreRuns
    ? { runs, longestGapIsReached: gap >= answer.longestGap * SECOND }
    : { runs, longestGap: gap / SECOND };
}

/** Schedules that readers of NCRONTAB are known to disagree on. */
const KNOWN = [
  '*/10 * * * * Mon-Sun',
  '*/10 * * * * Fri-Sun',
  '*/10 * * * * Sat-Sun',
  '*/10 * * * * Fri-Mon',
  '*/10 * * * * 7',
  '*/10 * * * * 1-7',
  '*/10 * * * * 7/1',
  '*/10\t*\t*\t*\t*\t*',
  '*/10 * * * * *\n',
  '*/10 * * * * *\r\n',
  '*/10 * * * * 1\n',
  '\n*/10 * * * * *',
  ' */10  * * * * * ',
  '*/10 * * * * monday',
  '*/10 * * january * *',
  '*/10 * * * january *',
  '*/10 * * * J S',
  '*/10 * * * jul-ma t-m',
  '*/10 * * * Mondays *',
  '*/90 * * * * *',
  '*/0 * * * * *',
  '*/-5 * * * * *',
  '*/+5 * * * * *',
  '*/ 5 * * * * *',
  '*/\t5 * * * * *',
  '5/10 * * * * *',
  '59/2147483647 * * * * *',
  '0/2147483647 * * * * *',
  '*/2147483648 * * * * *',
  '*/-2147483648 * * * * *',
  '*/99999999999999999999 * * * * *',
  '00000000000000000005 * * * * *',
  '*/5/5 * * * * *',
  '1-5-9 * * * * *',
  '*-5 * * * * *',
  '-5 * * * * *',
  '/5 * * * * *',
  '5/ * * * * *',
  ',5 * * * * *',
  '5, * * * * *',
  '5,,6 * * * * *',
  '*,5 * * * * *',
  '** * * * * *',
  '0 0 22-2 * * *',
  '0 0 0 0 * *',
  '0 0 0 0-5 * *',
  '0 0 0 0/5 * *',
  '0 0 0 ? * *',
  '0 0 0 L * *',
  '0 0 0 15W * *',
  '0 0 0 * * 5#2',
  '0 0 0 29 2 *',
  '0 0 0 29 2 1',
  '0 0 0 30 2 *',
  '0 0 0 31 * *',
  '0 0 0 31 4,6,9,11 *',
  '* * * * *',
  '* * * * * * *',
  '@every 10s',
  '00:00:10',
  '',
];

const NAMES = [
  ...'January February March April May June July August September October November December'.split(' '),
  ...'Sunday Monday Tuesday Wednesday Thursday Friday Saturday'.split(' '),
];
const name = fc
  .tuple(
    fc.constantFrom(...NAMES),
    fc.integer({ min: 1, max: 9 }),
    fc.constantFrom('lower', 'upper', 'as is'),
  )
  .map(([text, letters, letterCase]) => {
    const part = text.slice(0, letters);
    if (letterCase === 'as is') return part;
    return letterCase === 'lower' ? part.toLowerCase() : part.toUpperCase();
  });

/** One of six fields, most of them valid. */
function field(from: number, to: number, named: boolean): fc.Arbitrary<string> {
  const number = fc.integer({ min: from, max: to }).map(String);
  const value = named ? fc.oneof(number, { arbitrary: name, weight: 1 }) : number;
  const range = fc.tuple(value, value).map((ends) => ends.join('-'));
  const span = fc.oneof({ arbitrary: fc.constant('*'), weight: 2 }, { arbitrary: value, weight: 3 }, range);
  const step = fc.oneof(
    fc.integer({ min: 1, max: to + 2 }),
    fc.constantFrom('0', '-1', '+3', '007', '\t2', '2\n'),
  );
  const item = fc.oneof(
    { arbitrary: span, weight: 5 },
    fc.tuple(span, step).map(([base, every]) => `${base}/${every}`),
  );
  const list = fc.array(item, { minLength: 1, maxLength: 4 }).map((items) => items.join(','));
  return fc.oneof({ arbitrary: fc.constant('*'), weight: 3 }, { arbitrary: item, weight: 5 }, list);
}

const valid = fc.tuple(
  field(0, 59, false),
  field(0, 59, false),
  field(0, 23, false),
  field(1, 31, false),
  field(1, 12, true),
  field(0, 6, true),
);
/** What a careless or a clever operator may write at any place. */
const odd = fc.oneof(
  name,
  fc.integer({ min: -2, max: 70 }).map(String),
  fc.constantFrom('*', '-', '/', ',', ' ', '\t', '\n', '\r', '?', 'L', 'W', '#', '+', '.', '7', '60', ''),
);
const spoilt = fc.tuple(valid, fc.nat(200), fc.nat(3), odd).map(([fields, place, removed, inserted]) => {
  const text = fields.join(' ');
  const at = place % (text.length + 1);
  return text.slice(0, at) + inserted + text.slice(at + removed);
});
const text = fc.oneof(
  valid.map((fields) => fields.join(' ')),
  spoilt,
);
const question = fc.record({
  text,
  after: fc.integer({ min: Date.UTC(2026, 0, 1) / SECOND, max: Date.UTC(2039, 0, 1) / SECOND }),
});
