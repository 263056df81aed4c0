import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { listedOf, recordOf } from '../../lib/azure/readRecordBlob.ts';
import { parseConnections } from '../../lib/config/parseConnections.ts';
import { parseJdbc } from '../../lib/connectionString/jdbc.ts';
import { parseOdbc } from '../../lib/connectionString/odbc.ts';
import { parseOdbcIni } from '../../lib/connectionString/odbcIni.ts';
import { RotatorError } from '../../lib/errors.ts';
import { readTokenResponse } from '../../lib/oauth/readTokenResponse.ts';
import { sanitizer } from '../../lib/oauth/sanitize.ts';
import { CAREFUL_BEHAVIOR } from '../../lib/rotation/core/connection.ts';
import { readIntent, readOrigin, savedTags } from '../../lib/rotation/core/tags.ts';
import { safeName } from '../../lib/safeText.ts';

/** For each of the seven readers: ten minutes in all with `npm run fuzz`, and some seconds in `npm test`. */
const SECONDS = process.env.MODE === 'fuzz' ? 85 : 1;
/** A random one if it is missing, so that each run tries something new; a failure prints it. */
const SEED = process.env.FUZZ_SEED === undefined ? {} : { seed: Number(process.env.FUZZ_SEED) };
const CORPUS = join(import.meta.dirname, 'corpus');
const KEPT = readdirSync(CORPUS).map((name) => readFileSync(join(CORPUS, name), 'utf8'));

const CONTEXT = {
  credentialVaultUrl: 'https://c.vault.example',
  tokenVaultUrl: 'https://t.vault.example',
  allowLoopbackHttp: false,
};
/** Of any script: no control, format or private character, no lone surrogate, no line separator; it begins with no combining mark. */
const VISIBLE = /^(?!\p{M})[^\p{C}\p{Zl}\p{Zp}]*$/u;
const PRINTABLE = /^[ -~]*$/;

/** Runs the work; the only error that it may throw is one for people. */
function orProblem(work: () => unknown): void {
  try {
    work();
  } catch (thrown) {
    expect(thrown).toBeInstanceOf(RotatorError);
    const { message, fix } = thrown as RotatorError;
    expect(`${message}${fix}`).toMatch(PRINTABLE);
  }
}

const readers: Record<string, (text: string) => void> = {
  'the token response': (text) => {
    const body = readTokenResponse(Buffer.from(text), CAREFUL_BEHAVIOR, { complete: text.length % 2 === 0 });
    expect(body?.refreshToken).not.toBe('');
  },
  'the connections file': (text) => orProblem(() => parseConnections(text, CONTEXT)),
  'one entry of the connections file': (text) =>
    orProblem(() =>
      parseConnections(
        `{"connections":{"a":{"tokenUri":"https://a.example/t","scope":${JSON.stringify(text)}}}}`,
        CONTEXT,
      ),
    ),
  'a record': (text) => {
    orProblem(() => recordOf(text, 'crm', { container: 'records', now: 0 }));
    listedOf('crm.json', { connection: text, phase: text, generation: text }, 0);
  },
  tags: (text) => {
    const tags = {
      'managed-by': 'key-vault-token-rotator',
      epoch: text,
      'intent-store': text,
      'intent-started': text,
    };
    expect(readOrigin(tags)?.epoch).toBeGreaterThanOrEqual(0);
    expect(readIntent(tags)?.startedAt).not.toBeNaN();
    const origin = { connection: 'crm', parent: 'p', epoch: 1, generation: 1, store: 's' };
    expect(Object.keys(savedTags(origin, { [text]: text })).length).toBeLessThanOrEqual(15);
  },
  'connection strings': (text) => {
    orProblem(() => parseOdbc(text));
    orProblem(() => parseJdbc(`jdbc:datadirect:dynamics365:${text}`));
    orProblem(() => parseOdbcIni(text));
  },
  'text that is shown': (text) => {
    expect(sanitizer(['s3cret-of-the-client'])(text)).toMatch(VISIBLE);
    expect(safeName(text)).toMatch(PRINTABLE);
  },
};

/** Texts of the corpus with parts replaced, doubled or cut out, and texts without any sense. */
const mutated = fc
  .tuple(
    fc.constantFrom(...KEPT),
    fc.nat(),
    fc.nat(),
    fc.string({ unit: 'binary', maxLength: 30 }),
    fc.nat(3),
  )
  .map(([kept, one, other, inserted, repeats]) => {
    const [from = 0, to = 0] = [one % (kept.length + 1), other % (kept.length + 1)].sort((a, b) => a - b);
    return kept.slice(0, from) + inserted + kept.slice(from, to).repeat(repeats) + kept.slice(to);
  });
const anything = fc.oneof(
  mutated,
  fc.string({ unit: 'binary', maxLength: 500 }),
  fc.string({ unit: fc.constantFrom(...'{}[]";=\\\r\n: a1#,'), maxLength: 200 }),
  fc.json({ maxDepth: 5 }),
);

describe.each(Object.entries(readers))('%s', (_, read) => {
  test('survives the kept texts', () => {
    for (const text of KEPT) read(text);
  });

  test(
    'survives any text',
    () => {
      fc.assert(fc.property(anything, read), {
        ...SEED,
        numRuns: 10_000_000,
        interruptAfterTimeLimit: SECONDS * 1000,
        markInterruptAsFailure: false,
      });
    },
    SECONDS * 1000 + 60_000,
  );
});
