import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { bicepForTests, ROOT } from './support/bicepCli.ts';
import { BicepServer } from './support/bicepServer.ts';
import { parameterFile } from './support/deployment.ts';
import { MUTANTS } from './support/mutants.ts';
import { resourceViolations } from './support/resourceRules.ts';
import { deployedRights, documentedRights } from './support/rights.ts';
import { templateViolations } from './support/templateRules.ts';
import { withChange } from './support/workshop.ts';

const bicep = bicepForTests();

describe.skipIf(!bicep)('what would be worse is noticed', () => {
  let server: BicepServer;
  const documented = documentedRights(readFileSync(join(ROOT, 'docs', 'security.md'), 'utf8'));

  beforeAll(async () => {
    server = await started();
  });
  afterAll(() => server.close());

  it('and nothing else is', async () => {
    expect(await violations(server, ROOT, documented)).toEqual([]);
  });

  it.each(MUTANTS.map((mutant) => [`${mutant.file}: ${mutant.replace}`, mutant] as const))(
    '%s',
    async (_, mutant) => {
      const found = await withChange(mutant, (root) => violations(server, root, documented));
      expect(found.filter((violation) => violation.includes(mutant.told))).not.toEqual([]);
    },
  );
});

describe.skipIf(!bicep)('parameters that contradict each other', () => {
  let server: BicepServer;
  beforeAll(async () => {
    server = await started();
  });
  afterAll(() => server.close());

  const CONSUMER = "param consumers = [{ principalId: '20000000-0000-4000-8000-000000000001' }]";
  const VAULT = `${'/subscriptions/00000000-0000-4000-8000-000000000001'}/resourceGroups/rg/providers/Microsoft.KeyVault/vaults`;

  it.each([
    ['one vault and consumers', `param singleVault = true\n${CONSUMER}`, 'set singleVault to false'],
    [
      'the same existing vault twice and consumers',
      `param existingCredentialVaultId = '${VAULT}/one'\nparam existingTokenVaultId = '${VAULT}/ONE'\n${CONSUMER}`,
      'set singleVault to false',
    ],
    [
      'a blob and connections here',
      "param connectionsSource = 'blob'\nparam connections = { a: { tokenUri: 'https://login.example.com/token' } }",
      'set connectionsSource to inline',
    ],
  ])('%s are refused with the fix', async (_, replace, fix) => {
    await expect(predicted(replace)).rejects.toThrow(fix);
  });

  it('one vault holds both, and has one set of rights and one audit log', async () => {
    const snapshot = await predicted('param singleVault = true');
    expect(snapshot.outputs.TOKEN_VAULT_URL).toBe(snapshot.outputs.CREDENTIAL_VAULT_URL);
    expect(deployedRights(snapshot).filter((right) => right.includes('vault'))).toHaveLength(1);
    expect(resourceViolations(snapshot)).toEqual([]);
  });

  function predicted(replace: string) {
    const change = { file: parameterFile('smallest'), find: '', replace };
    return withChange(change, (root) => server.snapshot(join(root, parameterFile('smallest'))));
  }
});

/** The first file takes the server many times as long as the others. */
async function started(): Promise<BicepServer> {
  const server = new BicepServer(bicep ?? '');
  await server.compile(join(ROOT, 'infra', 'main.bicep'));
  return server;
}

/**
 * What the compiler says, or the rules about the parameters with everything switched on; and the differences from the
 * table of rights.
 */
async function violations(
  server: BicepServer,
  root: string,
  documented: readonly string[],
): Promise<string[]> {
  const { diagnostics, template } = await server.compile(join(root, 'infra', 'main.bicep'));
  if (diagnostics.length > 0) return diagnostics.map(({ code, message }) => `${code}: ${message}`);
  const snapshot = await server.snapshot(join(root, parameterFile('production')));
  const deployed = new Set(deployedRights(snapshot));
  return [
    ...templateViolations(template),
    ...resourceViolations(snapshot),
    ...[...deployed].filter((right) => !documented.includes(right)).map((right) => `rights: ${right}`),
    ...documented.filter((right) => !deployed.has(right)).map((right) => `missing: ${right}`),
  ];
}
