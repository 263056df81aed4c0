import { expect, test } from 'vitest';
import { endure } from './endure.ts';

test('a consumer has no failed request while the rotator is killed and restarted twice', {
  timeout: 120_000,
}, async () => {
  const lines: string[] = [];
  const report = await endure({
    seconds: 45,
    accessTokenSeconds: 12,
    downSeconds: 2,
    onLine: (line) => lines.push(line),
  });
  expect(report, lines.join('\n')).toMatchObject({ failed: 0, kills: 2 });
  expect(report.requests).toBeGreaterThan(150);
  expect(report.tokens).toBeGreaterThanOrEqual(4);
});
