import { type Mutant, PROTOCOL_TESTS } from './mutants.ts';
import { failingHistory, failingTest, withMutant } from './workshop.ts';

/** The result for one mutant. */
export interface Verdict {
  readonly name: string;
  /** File and name of the first test that failed; undefined if all passed. */
  readonly failed: string | undefined;
  /** The first history of the model that broke an invariant; undefined if none did, or none was played. */
  readonly history: string | undefined;
  /** Why the mutant could not be judged, which proves nothing; undefined if it could. */
  readonly problem: string | undefined;
  readonly seconds: number;
}

export function isKilled({ failed, history, problem }: Verdict): boolean {
  return problem === undefined && (failed !== undefined || history !== undefined);
}

/**
 * Runs the tests of a mutant. If none notices it, plays the model against it, unless the mutant has its own tests.
 * @param histories how many of the model's histories are played at most
 * @param tests run these instead of the mutant's own tests
 * @returns never throws: a mutant that does not fit its file, or that breaks the test run itself, has a problem
 */
export async function judge(mutant: Mutant, histories: number, tests = mutant.tests): Promise<Verdict> {
  const startedAt = performance.now();
  const found = await withMutant(mutant, async (folder) => {
    const failed = await failingTest(folder, tests ?? PROTOCOL_TESTS);
    const history = failed || mutant.tests ? undefined : await failingHistory(folder, histories);
    return { failed, history, problem: undefined };
  }).catch((thrown) => ({ failed: undefined, history: undefined, problem: messageOf(thrown) }));
  return { name: mutant.name, ...found, seconds: (performance.now() - startedAt) / 1000 };
}

/**
 * Runs the tests and the model against the unchanged tree: a test that fails without a mutant would kill every mutant.
 * @returns what fails; undefined if everything passes
 */
export async function failsAnyway(
  mutants: readonly Mutant[],
  histories: number,
): Promise<string | undefined> {
  const tests = new Set(mutants.flatMap((mutant) => mutant.tests ?? PROTOCOL_TESTS));
  return withMutant(
    undefined,
    async (folder) => (await failingTest(folder, [...tests])) ?? (await failingHistory(folder, histories)),
  ).catch(messageOf);
}

/**
 * Judges mutants, `atOnce` at a time.
 * @param onVerdict called with each verdict as soon as it is known
 * @returns the verdicts in the order of the mutants
 */
export async function judgeAll(
  mutants: readonly Mutant[],
  histories: number,
  atOnce: number,
  onVerdict: (verdict: Verdict) => void,
): Promise<Verdict[]> {
  const verdicts: Verdict[] = [];
  const left = mutants.entries();
  const worker = async () => {
    for (const [index, mutant] of left) {
      const verdict = await judge(mutant, histories);
      verdicts[index] = verdict;
      onVerdict(verdict);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return verdicts;
}

function messageOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
