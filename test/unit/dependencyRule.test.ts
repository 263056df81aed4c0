import { globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';
import { describe, expect, test } from 'vitest';

/**
 * The allowed imports, as in ARCHITECTURE.md. The first rule whose `files` matches a file applies; an import must match `may`
 * (files of this repository) or `packages`.
 */
const RULES: readonly { files: RegExp; may: RegExp; packages: RegExp }[] = [
  {
    files: /^lib\/(backoff|logEvents|loopback|retryAfter|secretNames|userAgent)\.ts$/,
    may: /^$/,
    packages: /^$/,
  },
  { files: /^lib\/(errors|safeText)\.ts$/, may: /^lib\/secretNames\.ts$/, packages: /^$/ },
  { files: /^lib\/secretSize\.ts$/, may: /^lib\/errors\.ts$/, packages: /^$/ },
  { files: /^lib\/log\.ts$/, may: /^lib\/logEvents\.ts$/, packages: /^$/ },
  { files: /^lib\/hostLookup\.ts$/, may: /^$/, packages: /^node:(dns|fs|net)$/ },
  { files: /^lib\/clock\.ts$/, may: /^lib\/rotation\/ports\.ts$/, packages: /^node:timers\/promises$/ },
  { files: /^lib\/connectionString\//, may: /^lib\/(errors|connectionString\/\w+)\.ts$/, packages: /^$/ },
  {
    // The pure core: it makes decisions without a clock, random numbers or the environment.
    files: /^lib\/rotation\/core\//,
    may: /^lib\/(backoff|errors|safeText|secretNames|connectionString\/template|rotation\/(ports|core\/\w+))\.ts$/,
    packages: /^zod$/,
  },
  {
    files: /^lib\/rotation\//,
    may: /^lib\/(backoff|errors|log|secretNames|secretSize|connectionString\/template|rotation\/.+)\.ts$/,
    packages: /^$/,
  },
  {
    files: /^lib\/oauth\//,
    may: /^lib\/(errors|hostLookup|loopback|retryAfter|safeText|userAgent|oauth\/.+|rotation\/(ports|core\/(tokenRequest|connection|times)))\.ts$/,
    packages: /^(undici|node:.+)$/,
  },
  {
    files: /^lib\/azure\//,
    may: /^lib\/(errors|loopback|readLimited|retryAfter|safeText|secretNames|secretSize|userAgent|azure\/.+|rotation\/.+)\.ts$/,
    packages: /^(@azure(-rest)?\/.+|saxes|undici|node:.+)$/,
  },
  {
    files: /^lib\/config\//,
    may: /^lib\/(errors|log|loopback|safeText|secretNames|config\/.+|connectionString\/\w+|oauth\/providers\/\w+|rotation\/core\/(connection|credentialValue|tags|times))\.ts$/,
    packages: /^(zod|node:.+)$/,
  },
  {
    // The library for consumers: no internals of the rotator, and only the packages that a reader of secrets needs.
    files: /^lib\/consumer\//,
    may: /^lib\/(backoff|loopback|consumer\/\w+)\.ts$/,
    packages: /^(@azure\/(core-auth|keyvault-secrets)|undici)$/,
  },
  {
    // The OAuth library calls fetch on its own; its options pass our limits to it.
    files: /^lib\/authorization\//,
    may: /^lib\/(backoff|errors|loopback|readLimited|safeText|secretSize|authorization\/\w+|config\/address|oauth\/(classifyFailure|clientAuthentication|egress|readTokenResponse|responseError|sanitize|secureConnector|providers\/\w+)|rotation\/.+)\.ts$/,
    packages: /^(oauth4webapi|undici|node:.+)$/,
  },
  {
    files: /^lib\/doctor\//,
    may: /^lib\/(errors|safeText|doctor\/\w+|config\/settings|oauth\/probeTokenEndpoint|rotation\/.+)\.ts$/,
    packages: /^$/,
  },
  { files: /^lib\/rotator\.ts$/, may: /^lib\/(errors|rotation\/.+)\.ts$/, packages: /^$/ },
  { files: /^lib\/compose\.ts$/, may: /^lib\//, packages: /^node:/ },
  {
    files: /^functions\//,
    may: /^(functions\/\w+|lib\/(compose|rotator|errors|readLimited)|lib\/rotation\/(core|steps)\/\w+)\.ts$/,
    packages: /^@azure\/functions$/,
  },
  {
    // Only compose creates adapters.
    files: /^cli\//,
    may: /^cli\/requireNode\.cjs$|^(cli\/.+|lib\/(compose|rotator|errors|readLimited|retryAfter|safeText|config\/\w+|authorization\/\w+|doctor\/\w+|connectionString\/\w+|oauth\/(classifyFailure|providers\/\w+)|rotation\/.+))\.ts$/,
    packages: /^(commander|@clack\/prompts|zod|node:.+|package\.json)$/,
  },
];

const files = globSync('{cli,lib,functions}/**/*.{js,ts}');

describe('the dependency rule', () => {
  test.each(files)('%s imports only what it may', (file) => {
    const rule = RULES.find(({ files }) => files.test(file));
    const forbidden = importsOf(file).filter((target) => !rule || !allowed(target, rule));
    expect(forbidden, `${file} must not import these`).toEqual([]);
  });

  test('there are files to check', () => expect(files.length).toBeGreaterThan(30));

  test.each(files.filter((file) => /^lib\/rotation\//.test(file)))(
    '%s reads no clock, chance or environment',
    (file) => {
      expect(codeOf(file)).not.toMatch(
        /Date\.now|new Date\(\)|Math\.random|process\.|performance\.|setTimeout/,
      );
    },
  );

  test.each(files.filter((file) => !['functions/rotator.ts', 'cli/main.ts'].includes(file)))(
    '%s does not touch process.env',
    (file) => {
      expect(codeOf(file)).not.toMatch(/process\.env/);
    },
  );
});

test('npm start loads neither the rules of the connections file nor zod before it needs them', () => {
  const loaded = new Set(['local/start.ts']);
  // A set also visits what is added meanwhile.
  for (const file of loaded)
    if (/^(cli|lib|local)\//.test(file)) for (const each of loadedBy(file)) loaded.add(each);
  expect([...loaded]).toContain('local/keyVault/server.ts');
  const needless = [...loaded].filter((each) =>
    /^(zod|@azure\/.*|lib\/config\/parseConnections\.ts)$/.test(each),
  );
  expect(needless).toEqual([]);
});

/** What Node loads together with a file: neither types nor what is imported later. */
function loadedBy(file: string): string[] {
  const statements = codeOf(file).matchAll(/^(?:import|export)\s+(?!type\b)(?:[^';]*?\sfrom\s+)?'([^']+)'/gm);
  return [...statements].map(([, target = '']) => resolved(target, file));
}

/** The file without its comments, which may name what the code must not use. */
function codeOf(file: string): string {
  return readFileSync(file, 'utf8').replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '');
}

function importsOf(file: string): string[] {
  const specifiers = [...codeOf(file).matchAll(/(?:from|import)\s*\(?'([^']+)'/g)].map(
    ([, target]) => target ?? '',
  );
  return specifiers.map((target) => resolved(target, file));
}

function resolved(target: string, file: string): string {
  return target.startsWith('.') ? posix.join(posix.dirname(file), target) : target;
}

function allowed(target: string, { may, packages }: (typeof RULES)[number]): boolean {
  return /^(cli|lib|functions|local|test)\//.test(target) ? may.test(target) : packages.test(target);
}
