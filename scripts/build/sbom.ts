import { createHash } from 'node:crypto';
import type { BundledPackage } from './packages.ts';

interface Application {
  readonly name: string;
  readonly version: string;
  readonly license: string;
}

/**
 * The bill of materials of the bundle, as CycloneDX 1.6 JSON: https://cyclonedx.org/docs/1.6/json/. It contains no time,
 * and its serial number comes from the bundle, so that the same sources give the same document.
 * @param code all modules of the bundle
 */
export function createSbom(application: Application, packages: readonly BundledPackage[], code: Uint8Array) {
  const root = purlOf(application);
  const purls = new Map(packages.map((bundled) => [bundled.folder, purlOf(bundled)]));
  const refsOf = (folders: readonly string[]) => folders.flatMap((folder) => purls.get(folder) ?? []);
  const direct = packages.filter((bundled) => bundled.direct).map(({ folder }) => folder);
  return {
    $schema: 'http://cyclonedx.org/schema/bom-1.6.schema.json',
    bomFormat: 'CycloneDX',
    specVersion: '1.6',
    serialNumber: `urn:uuid:${uuidOf(code)}`,
    version: 1,
    metadata: {
      component: {
        type: 'application',
        'bom-ref': root,
        name: application.name,
        version: application.version,
        purl: root,
        licenses: [{ expression: application.license }],
        hashes: [{ alg: 'SHA-512', content: createHash('sha512').update(code).digest('hex') }],
      },
    },
    components: packages.map(componentOf),
    dependencies: [
      { ref: root, dependsOn: refsOf(direct) },
      ...packages.map((bundled) => ({ ref: purlOf(bundled), dependsOn: refsOf(bundled.imports) })),
    ],
  };
}

function componentOf(bundled: BundledPackage): object {
  const { name, version, licence, integrity } = bundled;
  const purl = purlOf(bundled);
  const licenses = [{ expression: licence }];
  const sha512 = /^sha512-(\S+)$/.exec(integrity ?? '')?.[1];
  const hashes = sha512 && [{ alg: 'SHA-512', content: Buffer.from(sha512, 'base64').toString('hex') }];
  return { type: 'library', 'bom-ref': purl, name, version, purl, licenses, ...(hashes && { hashes }) };
}

/** https://github.com/package-url/purl-spec: the @ of a scope is encoded, its slash is not. */
function purlOf({ name, version }: { readonly name: string; readonly version: string }): string {
  return `pkg:npm/${name.replace('@', '%40')}@${version}`;
}

/** A UUID of version 8 (RFC 9562 section 5.8), made from the code's hash. */
function uuidOf(code: Uint8Array): string {
  const hex = createHash('sha256').update(code).digest('hex');
  const variant = ((Number.parseInt(hex.charAt(16), 16) & 0x3) | 0x8).toString(16);
  return [
    hex.slice(0, 8),
    hex.slice(8, 12),
    `8${hex.slice(13, 16)}`,
    `${variant}${hex.slice(17, 20)}`,
    hex.slice(20, 32),
  ].join('-');
}
