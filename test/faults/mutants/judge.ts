import { type Mutant, PROTOCOL_TESTS } from './mutants.ts';
import { failingHistory, failingTest, withMutant } from './workshop.ts';

/** What became of one mutant. */
export interface Verdict {
  readonly name: string;
  /** File and name of the first test that failed; undefined where none did. */
  readonly failed: string | undefined;
  /** The first history of the model that broke an invariant; undefined where none did, or none was played. */
  readonly history: string | undefined;
  /** Why it could not be judged: that proves nothing. */
  readonly problem: string | undefined;
  readonly seconds: number;
}

export function isKilled({ failed, history, problem }: Verdict): boolean {
  return problem === undefined && (failed !== undefined || history !== undefined);
}

/**
 * Runs the tests of a mutant, and plays the model against it where the model sees it.
 * @param histories how many of the model's histories are played at most
 * @param tests instead of the mutant's own
 * @returns never throws: a mutant that fits nowhere, or breaks the tests themselves, has a problem
 */
export async function judge(mutant: Mutant, histories: number, tests = mutant.tests): Promise<Verdict> {
  const startedAt = performance.now();
  const found = await withMutant(mutant, async (folder) => {
    const failed = await failingTest(folder, tests ?? PROTOCOL_TESTS);
    const history = mutant.tests ? undefined : await failingHistory(folder, histories);
    return { failed, history, problem: undefined };
  }).catch((thrown) => ({ failed: undefined, history: undefined, problem: messageOf(thrown) }));
  return { name: mutant.name, ...found, seconds: (performance.now() - startedAt) / 1000 };
}

/**
 * Runs everything that mutants are judged by against the tree as it is: a test that fails anyway would kill every mutant.
 * @returns what fails; undefined where all is well
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
 * Judges mutants, a few at a time.
 * @param onVerdict is told of each as it comes
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
