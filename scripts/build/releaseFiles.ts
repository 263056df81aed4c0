import { createHash } from 'node:crypto';

/** What a release is made of. */
export interface Release {
  /** owner/name on GitHub. */
  readonly repository: string;
  /** v and the version. */
  readonly tag: string;
  /** The version in package.json. */
  readonly version: string;
  /** The compiled main.bicep. */
  readonly template: string;
  /** The finished files by name. */
  readonly built: Readonly<Record<string, Uint8Array>>;
}

/**
 * The files of a release by name. The template installs the package of the same release, unless the operator names another one.
 * @throws Error if the tag is not the one of the version, or the repository is not owner/name
 */
export function releaseFiles({
  repository,
  tag,
  version,
  template,
  built,
}: Release): Record<string, Uint8Array> {
  if (!/^[\w.-]+\/[\w.-]+$/.test(repository))
    throw new Error('Set GITHUB_REPOSITORY to the owner and the name of the repository: owner/name.');
  if (tag !== `v${version}`)
    throw new Error(
      `The tag is "${tag}", but package.json has version ${version}. Tag v${version}, or change the version.`,
    );
  const files = { ...built, 'azuredeploy.json': withPackage(template, repository, tag) };
  return {
    ...files,
    SHA256SUMS: Buffer.from(
      Object.entries(files)
        .map(([name, content]) => `${createHash('sha256').update(content).digest('hex')}  ${name}\n`)
        .join(''),
    ),
    'notes.md': Buffer.from(notes(repository, tag)),
  };
}

function withPackage(template: string, repository: string, tag: string): Uint8Array {
  const parsed = JSON.parse(template);
  if (parsed.parameters?.packageUri === undefined)
    throw new Error('The template has no parameter packageUri.');
  parsed.parameters.packageUri.defaultValue = `https://github.com/${repository}/releases/download/${tag}/dist.zip`;
  return Buffer.from(`${JSON.stringify(parsed, null, 2)}\n`);
}

function notes(repository: string, tag: string): string {
  const template = `https://raw.githubusercontent.com/${repository}/refs/tags/template-${tag}/azuredeploy.json`;
  return `[![Deploy to Azure](https://aka.ms/deploytoazurebutton)](https://portal.azure.com/#create/Microsoft.Template/uri/${encodeURIComponent(template)})

The button deploys this release without anything installed; [docs/deploy.md](https://github.com/${repository}/blob/${tag}/docs/deploy.md#from-a-release) says what to fill
in. What is new: [CHANGELOG.md](https://github.com/${repository}/blob/${tag}/CHANGELOG.md). To check where a file comes from: \`gh attestation verify dist.zip --repo ${repository}\`.
`;
}
