import type { BundledPackage } from './packages.ts';

/** SPDX identifiers of licences that require only that their text and notices accompany the copy. */
const PERMISSIVE: ReadonlySet<string> = new Set([
  '0BSD',
  'Apache-2.0',
  'BSD-2-Clause',
  'BSD-3-Clause',
  'BlueOak-1.0.0',
  'ISC',
  'MIT',
  'MIT-0',
  'Unlicense',
]);

type Licensed = Pick<BundledPackage, 'name' | 'version' | 'licence' | 'author' | 'texts'>;

/**
 * Refuses packages whose licence does not allow redistribution in this form.
 * @throws Error that names each of them and its licence
 */
export function checkLicences(packages: readonly Licensed[]): void {
  const refused = packages.filter(({ licence }) => !isPermissive(licence));
  const withoutText = packages.filter(({ licence, texts }) => texts.length === 0 && licence !== 'MIT');
  const complaints = [
    ...refused.map(
      ({ name, version, licence }) => `${name} ${version} is under ${licence || 'no stated licence'}`,
    ),
    ...withoutText.map(({ name, version }) => `${name} ${version} contains no licence file`),
  ];
  if (complaints.length === 0) return;
  throw new Error(
    `Cannot redistribute packages in the bundle: ${complaints.join('; ')}. Replace them, or check what the licence requires and add it to scripts/build/licences.ts.`,
  );
}

/** Reads SPDX expressions of one level: `MIT`, `(MIT OR GPL-2.0)`, `MIT AND ISC`. It refuses anything else. */
function isPermissive(expression: string): boolean {
  const plain = expression.replace(/^\((.*)\)$/, '$1');
  if (plain.includes(' AND ')) return plain.split(' AND ').every((id) => PERMISSIVE.has(id));
  return plain.split(' OR ').some((id) => PERMISSIVE.has(id));
}

/**
 * The licence texts that must accompany the bundle.
 * @param mit a text of the MIT licence, for packages that name this licence but contain no licence file
 */
export function licenceTexts(packages: readonly Licensed[], mit: string): string {
  const head = 'index.js contains parts of these packages, under the licences below.';
  const parts = packages.map((bundled) => {
    const { name, version, licence, texts } = bundled;
    const legal = texts.length > 0 ? texts : [mitOf(bundled, mit)];
    return [`${name} ${version} (${licence})`, ...legal].join('\n\n');
  });
  return `${[head, ...parts].join(`\n\n${'-'.repeat(80)}\n\n`)}\n`;
}

function mitOf({ author, name }: Licensed, mit: string): string {
  return mit.replace(/^Copyright .*$/m, `Copyright (c) ${author ?? `the authors of ${name}`}`).trim();
}
