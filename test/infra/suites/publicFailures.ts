import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ROOT } from '../support/bicepCli.ts';
import type { BicepServer } from '../support/bicepServer.ts';
import { PUBLIC_FAILURES } from '../support/publicFailures.ts';
import { expectDetected, predictedWith } from './mutants.ts';

/** Each public failure has a source, and an assertion that fails when its cause comes back, or a message that the operator sees. */
export function publicFailureSuite(serverOf: () => BicepServer): void {
  it('names at least 25 failures, each once and with its source', () => {
    const failures = new Set(PUBLIC_FAILURES.map(({ failure }) => failure));
    expect(failures.size).toBe(PUBLIC_FAILURES.length);
    expect(failures.size).toBeGreaterThanOrEqual(25);
    expect(PUBLIC_FAILURES.filter(({ source }) => !URL.canParse(source))).toEqual([]);
  });

  it.each(PUBLIC_FAILURES.map((row) => [row.failure, row] as const))('%s', async (_, row) => {
    if ('cause' in row) await expectDetected(serverOf(), row.cause);
    else if ('refused' in row)
      await expect(predictedWith(serverOf(), row.refused)).rejects.toThrow(row.message);
    else expect(readFileSync(join(ROOT, row.tested), 'utf8')).toContain(`'${row.title}'`);
  });
}
