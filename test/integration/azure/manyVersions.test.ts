import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createSecretVault } from '../../../lib/azure/keyVaultSecrets.ts';
import { currentVersion } from '../../../lib/rotation/core/currentVersion.ts';
import { newRecord } from '../../../lib/rotation/core/record.ts';
import { savedTags } from '../../../lib/rotation/core/tags.ts';
import { startTrustedVault, tokenOf } from './support.ts';

/** Two years of hourly tokens. */
const COUNT = 20_000;
const FIRST_SECOND = 1_700_000_000;

const idOf = (at: number) => ((at * 7_919) % 1_000_003).toString(16).padStart(32, '0');

test('finds the current one of 20,000 versions, 25 a page', { timeout: 120_000 }, async () => {
  const folder = await mkdtemp(join(tmpdir(), 'many-versions-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const dataFile = join(folder, 'vault.json');
  const versions = Array.from({ length: COUNT }, (_, at) => ({
    id: idOf(at),
    value: `value-${at}`,
    tags: savedTags(
      { connection: 'crm', parent: idOf(at - 1), epoch: at, generation: at, store: 'store' },
      {},
    ),
    enabled: at >= COUNT - 2,
    created: FIRST_SECOND + at * 3_600,
    updated: FIRST_SECOND + (at + 2) * 3_600,
  }));
  await writeFile(dataFile, JSON.stringify({ format: 1, secrets: [{ name: 'token', versions }] }));
  const server = await startTrustedVault({ dataFile });
  const vault = createSecretVault(server.tlsUrl, tokenOf('officer'));
  const listed = await vault.versions('token');
  expect(server.requests.filter(({ operation }) => operation === 'listVersions')).toHaveLength(COUNT / 25);
  const last = idOf(COUNT - 1);
  const restored = { ...newRecord('crm'), version: idOf(0) };
  expect(currentVersion(restored, listed, last)).toMatchObject({ winner: { version: last } });
});
