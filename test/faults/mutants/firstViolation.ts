/** `node firstViolation.ts COUNT`: plays the histories from seed 0 on and prints the first violation of an invariant, or nothing. */
import { play } from '../model/play.ts';
import { scheduleOf } from '../model/schedule.ts';

async function violationsOf(seed: number): Promise<readonly string[]> {
  try {
    return (await play(scheduleOf(seed))).violations;
  } catch (thrown) {
    return [thrown instanceof Error ? thrown.message : String(thrown)];
  }
}

for (let seed = 0; seed < Number(process.argv[2]); seed++) {
  const [violation] = await violationsOf(seed);
  if (violation === undefined) continue;
  process.stdout.write(`seed ${seed}: ${violation.split('\n')[0]}`);
  break;
}
