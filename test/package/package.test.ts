import { readdir, readFile } from 'node:fs/promises';
import { join, matchesGlob } from 'node:path';
import { unzipSync } from 'fflate';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { checkLicences, licenceTexts } from '../../scripts/build/licences.ts';
import { type Built, buildElsewhere, ROOT } from './support.ts';

const LARGEST_ZIP_BYTES = 2 * 1024 * 1024;
const FILES = [
  'LICENSE',
  'THIRD-PARTY-LICENSES.txt',
  'host.json',
  'httpProxy.js',
  'httpProxy.js.map',
  'httpsProxy.js',
  'httpsProxy.js.map',
  'identity.js',
  'identity.js.map',
  'index.js',
  'index.js.map',
  'package.json',
  'sbom.cdx.json',
  'storageKey.js',
  'storageKey.js.map',
];

let built: Built;
beforeAll(async () => {
  built = await buildElsewhere();
});
afterAll(async () => built?.remove());

const read = (name: string) => readFile(join(built.folder, name), 'utf8');
const readJson = async (name: string) => JSON.parse(await read(name));

describe('the package', () => {
  test('holds exactly these files, in the folder and in the zip', async () => {
    expect((await readdir(built.folder)).toSorted()).toEqual(FILES);
    const zipped = unzipSync(await readFile(built.zipFile));
    expect(Object.keys(zipped).toSorted()).toEqual(FILES);
    expect(Buffer.from(zipped['index.js'] ?? '').equals(await readFile(join(built.folder, 'index.js')))).toBe(
      true,
    );
  });

  test('is below 2 MB when zipped', async () => {
    const { length } = await readFile(built.zipFile);
    expect(length).toBe(built.zipBytes);
    expect(length).toBeLessThan(LARGEST_ZIP_BYTES);
  });

  test('is the same, byte for byte, when it is built again', async () => {
    const again = await buildElsewhere();
    const [one, other] = await Promise.all([readFile(built.zipFile), readFile(again.zipFile)]);
    await again.remove();
    expect(one.equals(other)).toBe(true);
  });

  test('needs no installation in Azure', async () => {
    expect(await readJson('package.json')).toEqual({
      name: 'key-vault-token-rotator',
      version: expect.any(String),
      private: true,
      description: expect.any(String),
      license: 'MIT',
      type: 'commonjs',
      main: 'index.js',
      engines: { node: '>=24' },
    });
  });

  test("has the repository's host.json", async () => {
    expect(await read('host.json')).toBe(await readFile(join(ROOT, 'host.json'), 'utf8'));
  });

  test('has a source map that names no path of the machine that built it', async () => {
    expect((await readJson('index.js.map')).sources).toContain('../functions/index.ts');
    for (const name of FILES.filter((file) => file.endsWith('.js'))) {
      expect((await read(name)).trimEnd().split('\n').at(-1)).toBe(`//# sourceMappingURL=${name}.map`);
      const { sources, sourcesContent } = await readJson(`${name}.map`);
      expect(sources.filter((source: string) => /^(\/|[a-z]:)/i.test(source))).toEqual([]);
      expect(sourcesContent).toBeUndefined();
    }
  });

  test('loses no file to .funcignore when azd zips it', async () => {
    const patterns = (await readFile(join(ROOT, '.funcignore'), 'utf8')).split(/\r?\n/).filter(Boolean);
    expect(FILES.filter((file) => patterns.some((pattern) => matchesGlob(file, pattern)))).toEqual([]);
    // With this pattern, azd refuses to deploy without a remote build.
    expect(patterns.filter((pattern) => pattern.includes('node_modules'))).toEqual([]);
  });
});

describe('the bill of materials', () => {
  test('has the fields that CycloneDX 1.6 requires', async () => {
    const sbom = await readJson('sbom.cdx.json');
    expect(sbom).toMatchObject({ bomFormat: 'CycloneDX', specVersion: '1.6', version: 1 });
    expect(sbom.serialNumber).toMatch(
      /^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
    expect(sbom.metadata.component).toMatchObject({ type: 'application', name: 'key-vault-token-rotator' });
    for (const component of sbom.components) {
      expect(component).toEqual({
        type: 'library',
        'bom-ref': component.purl,
        name: expect.stringMatching(/./),
        version: expect.stringMatching(/^\d+\.\d+\.\d+/),
        purl: expect.stringMatching(/^pkg:npm\/(%40[\w.-]+\/)?[\w.-]+@\d/),
        licenses: [{ expression: expect.stringMatching(/./) }],
        hashes: [{ alg: 'SHA-512', content: expect.stringMatching(/^[0-9a-f]{128}$/) }],
      });
    }
  });

  test('names each package once, and reaches each of them from the root', async () => {
    const sbom = await readJson('sbom.cdx.json');
    const root: string = sbom.metadata.component['bom-ref'];
    const refs: string[] = [root, ...sbom.components.map((component: { purl: string }) => component.purl)];
    expect(new Set(refs).size).toBe(refs.length);
    const dependencies: { ref: string; dependsOn: string[] }[] = sbom.dependencies;
    expect(dependencies.map(({ ref }) => ref)).toEqual(refs);
    const reached = new Set([root, ...dependencies.flatMap(({ dependsOn }) => dependsOn)]);
    expect(refs.filter((ref) => !reached.has(ref))).toEqual([]);
    expect([...reached].filter((ref) => !refs.includes(ref))).toEqual([]);
  });

  test('has every runtime dependency of package.json among its direct ones, except those of the other packages', async () => {
    const others = ['@azure/core-auth', '@clack/prompts', 'commander', 'oauth4webapi'];
    const { dependencies } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8'));
    const sbom = await readJson('sbom.cdx.json');
    const direct = (sbom.dependencies[0].dependsOn as string[]).map((purl) =>
      decodeURIComponent(purl.slice('pkg:npm/'.length, purl.lastIndexOf('@'))),
    );
    expect([...direct, ...others].toSorted()).toEqual(Object.keys(dependencies).toSorted());
  });
});

describe('licences', () => {
  const bundled = (licence: string, texts: readonly string[] = ['a text']) => ({
    name: 'some-package',
    version: '1.2.3',
    licence,
    author: 'A. Author',
    texts,
  });

  test('are included for each package in the bundle', async () => {
    const text = await read('THIRD-PARTY-LICENSES.txt');
    expect(built.packages.length).toBeGreaterThan(20);
    for (const { name, version, licence, texts } of built.packages) {
      expect(text).toContain(`${name} ${version} (${licence})`);
      for (const legal of texts) expect(text).toContain(legal);
    }
  });

  test.each(['MIT', '(MIT OR GPL-3.0-only)', 'MIT AND ISC'])('accepts %s', (licence) => {
    expect(() => checkLicences([bundled(licence)])).not.toThrow();
  });

  test.each(['GPL-3.0-only', 'MIT AND GPL-3.0-only', 'UNLICENSED', 'SEE LICENSE IN terms.txt', ''])(
    '"%s" stops the build',
    (licence) => {
      expect(() => checkLicences([bundled('MIT'), bundled(licence)])).toThrow(
        `some-package 1.2.3 is under ${licence || 'no stated licence'}`,
      );
    },
  );

  test('a package without the licence file that it needs stops the build', () => {
    expect(() => checkLicences([bundled('Apache-2.0', [])])).toThrow(
      'some-package 1.2.3 contains no licence file',
    );
  });

  test('a package under MIT without a file gets the text with its author', () => {
    const text = licenceTexts([bundled('MIT', [])], 'MIT License\n\nCopyright (c) us\n\nPermission ...');
    expect(text).toContain('Copyright (c) A. Author\n\nPermission ...');
    expect(text).not.toContain('(c) us');
  });
});
