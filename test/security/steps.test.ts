import { afterAll, beforeAll, expect, test } from 'vitest';
import { listedOf, recordOf } from '../../lib/azure/readRecordBlob.ts';
import { metadataOf } from '../../lib/azure/recordBlob.ts';
import { parseConnections } from '../../lib/config/parseConnections.ts';
import { scanJson } from '../../lib/config/scanJson.ts';
import { parseOdbc } from '../../lib/connectionString/odbc.ts';
import { parseOdbcIni } from '../../lib/connectionString/odbcIni.ts';
import { fillIn } from '../../lib/connectionString/template.ts';
import { readTokenResponse } from '../../lib/oauth/readTokenResponse.ts';
import { sanitizer } from '../../lib/oauth/sanitize.ts';
import { CAREFUL_BEHAVIOR } from '../../lib/rotation/core/connection.ts';
import { currentVersion } from '../../lib/rotation/core/currentVersion.ts';
import { savedTags } from '../../lib/rotation/core/tags.ts';
import { recordNamed } from '../unit/rotation/world/record.ts';
import { StepCounter } from './steps.ts';

const counter = new StepCounter();
beforeAll(() => counter.start());
afterAll(() => counter.stop());

const CONTEXT = {
  credentialVaultUrl: 'https://c.vault.example',
  tokenVaultUrl: 'https://t.vault.example',
  allowLoopbackHttp: false,
};
const ENTRY = { tokenUri: 'https://login.example/token' };
const ORIGIN = { connection: 'crm', parent: 'p', epoch: 1, generation: 1, store: 's' };

function file(count: number, entryOf: (index: number) => object): string {
  return JSON.stringify({
    connections: Object.fromEntries(
      Array.from({ length: count }, (_, index) => [`c${index}`, entryOf(index)]),
    ),
  });
}

/** Input of a size, for each reader. */
const readers: Record<string, (size: number) => unknown> = {
  'entries that share a client secret': (size) =>
    parseConnections(
      file(size, () => ({ ...ENTRY, secrets: { clientSecret: 'shared' } })),
      CONTEXT,
    ),
  'entries that share a refresh token': (size) =>
    parseConnections(
      file(size, () => ({ ...ENTRY, secrets: { refreshToken: 'shared' } })),
      CONTEXT,
    ),
  'one entry that names a client secret many times': (size) =>
    parseConnections(
      file(1, () => ({ ...ENTRY, secrets: { clientSecret: Array(size).fill('s') } })),
      CONTEXT,
    ),
  'unknown keys of an entry': (size) =>
    parseConnections(
      file(1, () => ({
        ...ENTRY,
        ...Object.fromEntries(Array.from({ length: size }, (_, at) => [`scpoe${at}`, 1])),
      })),
      CONTEXT,
    ),
  'deep JSON': (size) => scanJson('['.repeat(size)),
  'a response that ends early': (size) =>
    readTokenResponse(Buffer.from(`{"a":${'['.repeat(size)}`), CAREFUL_BEHAVIOR),
  'attributes of a connection string': (size) =>
    parseOdbc(Array.from({ length: size }, (_, at) => `a${at}={b}`).join(';')),
  'sections of odbc.ini': (size) => parseOdbcIni('[a]\nb=c\n'.repeat(size)),
  'placeholders of a template': (size) =>
    fillIn(
      { syntax: 'odbc', text: Array.from({ length: size }, (_, at) => `a${at}={accessToken}`).join(';') },
      { accessToken: 'x' },
    ),
  'a secret for the sanitizer': (size) => sanitizer(['s3cret-'.repeat(size)])('a description'),
  'a description for the sanitizer': (size) => sanitizer(['s3cret-of-the-client'])('%41&#65; '.repeat(size)),
  'a record with a long history': (size) =>
    recordOf(
      JSON.stringify({
        ...recordNamed(),
        history: Array.from({ length: size }, (_, at) => ({ code: 'vault_unavailable', at })),
      }),
      'crm',
      { container: 'records', now: 1e12 },
    ),
  'a list of records': (size) =>
    Array.from({ length: size }, (_, at) =>
      listedOf(`c${at}.json`, metadataOf(recordNamed(`c${at}`, { nextAttemptAt: at })), 1e12),
    ),
  'versions of a refresh token': (size) =>
    currentVersion(
      recordNamed('crm', { version: 'v0' }),
      Array.from({ length: size }, (_, at) => ({
        version: `v${at}`,
        createdAt: at * 1_000,
        tags: savedTags({ ...ORIGIN, parent: `v${at - 1}`, epoch: at }, {}),
      })),
      `v${size - 1}`,
    ),
  'tags of an operator': (size) =>
    savedTags(ORIGIN, Object.fromEntries(Array.from({ length: size }, (_, at) => [`t${at}`, 'x']))),
};

test.each(Object.entries(readers))(
  '%s: four times the size takes less than eight times the steps',
  async (_, read) => {
    await counter.stepsOf(() => read(500));
    const small = await counter.stepsOf(() => read(500));
    const large = await counter.stepsOf(() => read(2_000));
    expect(small).toBeGreaterThan(100);
    // Quadratic work would take sixteen times the steps. V8 loses some counts while it optimizes a function.
    expect(large).toBeLessThan(8 * small);
  },
);

test('the counter notices work that grows faster than the input', async () => {
  const pairs = (size: number) => {
    let count = 0;
    for (let one = 0; one < size; one += 1) for (let other = 0; other < size; other += 1) count += 1;
    return count;
  };
  const small = await counter.stepsOf(() => pairs(100));
  const large = await counter.stepsOf(() => pairs(400));
  expect(large).toBeGreaterThan(10 * small);
});
