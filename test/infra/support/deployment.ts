import { join } from 'node:path';
import type { Snapshot, Template } from './arm.ts';
import type { BicepServer } from './bicepServer.ts';

/** The parameter files: a deployment with each of them is predicted and judged. */
export const PARAMETER_FILES = ['smallest', 'production', 'existingVaults'] as const;
export type ParameterFile = (typeof PARAMETER_FILES)[number];

/** The compiled template, and what it would deploy with each parameter file. */
export interface Deployment {
  readonly template: Template;
  readonly snapshots: Readonly<Record<ParameterFile, Snapshot>>;
}

/** Where a parameter file stands below the root of the repository. */
export function parameterFile(name: ParameterFile): string {
  return join('test', 'infra', 'parameters', `${name}.bicepparam`);
}

/** What is predicted with everything switched on, as committed; the other parameter files would repeat it but for what they leave out. */
export const SNAPSHOT = parameterFile('production').replace('.bicepparam', '.snapshot.json');

/**
 * Compiles what stands in a folder with `infra/` and `test/infra/parameters/`.
 * @throws Error where it does not compile
 */
export async function readDeployment(server: BicepServer, root: string): Promise<Deployment> {
  const { template } = await server.compile(join(root, 'infra', 'main.bicep'));
  const smallest = await server.snapshot(join(root, parameterFile('smallest')));
  const production = await server.snapshot(join(root, parameterFile('production')));
  const existingVaults = await server.snapshot(join(root, parameterFile('existingVaults')));
  return { template, snapshots: { smallest, production, existingVaults } };
}
