import { join } from 'node:path';
import type { Snapshot, Template } from './arm.ts';
import type { BicepServer } from './bicepServer.ts';

/** The parameter files: the tests predict and check a deployment with each of them. production has everything that can be on in one. */
export const PARAMETER_FILES = ['smallest', 'production', 'landingZone', 'releasePackage'] as const;
export type ParameterFile = (typeof PARAMETER_FILES)[number];

/** The compiled template, and the resources that it would deploy with each parameter file. */
export interface Deployment {
  readonly template: Template;
  readonly snapshots: Readonly<Record<ParameterFile, Snapshot>>;
}

/** The path of a parameter file below the root of the repository. */
export function parameterFile(name: ParameterFile): string {
  return join('test', 'infra', 'parameters', `${name}.bicepparam`);
}

/** The committed prediction with everything switched on. The other parameter files would repeat it, except for what they omit. */
export const SNAPSHOT = parameterFile('production').replace('.bicepparam', '.snapshot.json');

/**
 * Compiles a folder that contains `infra/` and `test/infra/parameters/`.
 * @throws Error if it does not compile
 */
export async function readDeployment(server: BicepServer, root: string): Promise<Deployment> {
  const { template } = await server.compile(root, join('infra', 'main.bicep'));
  const smallest = await server.snapshot(root, parameterFile('smallest'));
  const production = await server.snapshot(root, parameterFile('production'));
  const landingZone = await server.snapshot(root, parameterFile('landingZone'));
  const releasePackage = await server.snapshot(root, parameterFile('releasePackage'));
  return { template, snapshots: { smallest, production, landingZone, releasePackage } };
}
