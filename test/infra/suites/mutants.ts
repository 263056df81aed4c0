import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { ofType, type Snapshot } from '../support/arm.ts';
import { buildFindings, DEPENDS_ON_DATE, ROOT } from '../support/bicepCli.ts';
import type { BicepServer } from '../support/bicepServer.ts';
import { parameterFile } from '../support/deployment.ts';
import { MUTANTS, type Mutant } from '../support/mutants.ts';
import { absentTypes, resourceViolations } from '../support/resourceRules.ts';
import { deployedRights, documentedRights } from '../support/rights.ts';
import { templateViolations } from '../support/templateRules.ts';
import { withChange } from '../support/workshop.ts';

const CONSUMER = "param consumers = [{ principalId: '20000000-0000-4000-8000-000000000001' }]";
const VAULT =
  '/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.KeyVault/vaults';

const SUBNET =
  '/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg/providers/Microsoft.Network/virtualNetworks/v/subnets/s';

/** The tests detect every change that would make the committed Bicep worse. */
export function mutantSuite(serverOf: () => BicepServer): void {
  it.each(MUTANTS.map((mutant) => [`${mutant.file}: ${mutant.replace}`, mutant] as const))(
    '%s',
    (_, mutant) => expectDetected(serverOf(), mutant),
  );
}

/** The rules report the change. */
export async function expectDetected(server: BicepServer, mutant: Mutant): Promise<void> {
  const documented = documentedRights(readFileSync(join(ROOT, 'docs', 'security.md'), 'utf8'));
  await withChange(mutant, async (root) => {
    const found = await violationsOfSnapshot(server, root, documented);
    const more = found.some(isViolationOf(mutant)) ? [] : await violationsOfTemplate(server, root);
    expect([...found, ...more]).toContainEqual(expect.stringContaining(mutant.violation));
  });
}

/** A rule that depends on the date or the version of Bicep fails the checks of this repository, but no deployment of a user. */
export function warningSuite(serverOf: () => BicepServer, bicep: string): void {
  it('lets the date alone stop no check', async () => {
    const file = join('infra', 'modules', 'workbook.bicep');
    const old = { file, find: 'workbooks@2023-06-01', replace: 'workbooks@2022-04-01' };
    const found = await withChange(old, async (root) => buildFindings(bicep, join(root, file)));
    expect(found).toEqual({ built: true, findings: [], dated: [expect.stringContaining('2022-04-01')] });
  });

  it('treats no rule as an error', () => {
    const { analyzers } = JSON.parse(readFileSync(join(ROOT, 'infra', 'bicepconfig.json'), 'utf8'));
    const levels = Object.values<{ level: string }>(analyzers.core.rules).map(({ level }) => level);
    expect(new Set(levels)).toEqual(new Set(['warning']));
  });

  it.each([
    [
      'an API version that a newer one replaces',
      'workbooks@2023-06-01',
      'workbooks@2022-04-01',
      'use-recent-api-versions',
    ],
    ['a property that the types do not know', 'category:', 'categories:', 'BCP03'],
  ])('%s', async (_, find, replace, rule) => {
    const file = join('infra', 'modules', 'workbook.bicep');
    await withChange({ file, find, replace }, async (root) => {
      const { diagnostics, template } = await serverOf().compile(root, join('infra', 'main.bicep'));
      expect(diagnostics.map(({ code }) => code)).toContainEqual(expect.stringContaining(rule));
      expect(diagnostics.filter(({ level }) => level !== 'Warning')).toEqual([]);
      expect(template.resources).toBeDefined();
    });
  });
}

/** Parameters that contradict each other, and one vault for both purposes. */
export function parameterSuite(serverOf: () => BicepServer): void {
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
    [
      'connections that fit into no setting',
      `param connections = { a: { tokenUri: 'https://login.example.com/${'t'.repeat(30_000)}' } }`,
      'set connectionsSource to blob',
    ],
    ['addresses without a closed firewall', "param allowedIpRanges = ['203.0.113.7']", 'must be empty'],
    [
      'a range that is too small',
      "param privateNetworking = true\nparam allowedIpRanges = ['203.0.113.7/32']",
      'write each address without a suffix',
    ],
    ['a package over http', "param packageUri = 'http://example.com/dist.zip'", 'must start with https://'],
    [
      'one subnet of two',
      `param privateNetworking = true\nparam existingFunctionsSubnetId = '${SUBNET}'`,
      'set both or none',
    ],
    [
      'subnets without private networking',
      `param existingFunctionsSubnetId = '${SUBNET}'\nparam existingEndpointsSubnetId = '${SUBNET}'`,
      'set privateNetworking to true',
    ],
    ['a NAT gateway without a network', 'param natGateway = true', 'set privateNetworking to true'],
    [
      'the name of a vault instead of its id',
      "param existingTokenVaultId = 'contoso-tokens'",
      'existingTokenVaultId must be the resource id of a vault',
    ],
  ])('refuses %s with a fix', async (_, replace, fix) => {
    await expect(predicted(replace)).rejects.toThrow(fix);
  });

  it('gives a single vault one set of rights and one audit log', async () => {
    const snapshot = await predicted('param singleVault = true');
    expect(snapshot.outputs.TOKEN_VAULT_URL).toBe(snapshot.outputs.CREDENTIAL_VAULT_URL);
    expect(deployedRights(snapshot).filter((right) => right.includes('vault'))).toHaveLength(1);
    expect(resourceViolations(snapshot)).toEqual([]);
  });

  it('closes the public addresses for private networking without allowed addresses', async () => {
    const snapshot = await predicted('param privateNetworking = true');
    const closed = snapshot.predictedResources
      .filter(({ properties }) => properties?.publicNetworkAccess === 'Disabled')
      .map(({ type }) => type);
    const vault = 'Microsoft.KeyVault/vaults';
    expect(closed.sort()).toEqual([vault, vault, 'Microsoft.Storage/storageAccounts']);
    expect(resourceViolations(snapshot)).toEqual([]);
  });

  it('links its own DNS zones to an existing network', async () => {
    const snapshot = await predicted(
      `param privateNetworking = true\nparam existingFunctionsSubnetId = '${SUBNET}'\nparam existingEndpointsSubnetId = '${SUBNET}'`,
    );
    const links = ofType(snapshot, 'Microsoft.Network/privateDnsZones/virtualNetworkLinks');
    expect(links.map(({ properties }) => properties.virtualNetwork.id)).toEqual(
      Array(3).fill(SUBNET.replace('/subnets/s', '')),
    );
    expect(resourceViolations(snapshot)).toEqual([]);
  });

  it('uses a built-in role if custom roles are not allowed', async () => {
    const rights = deployedRights(await predicted("param rotatorVaultRole = 'secretsOfficer'"));
    expect(rights.filter((right) => right.includes(' vault | '))).toEqual([
      'rotator | credential vault | Key Vault Secrets Officer',
      'rotator | token vault | Key Vault Secrets Officer',
    ]);
  });

  it('leaves purge protection out instead of setting it to false', async () => {
    const vaults = ofType(await predicted('param purgeProtection = false'), 'Microsoft.KeyVault/vaults');
    expect(vaults.map(({ properties }) => properties.enablePurgeProtection ?? null)).toEqual([null, null]);
  });

  it('creates resources of other names in another region, however the region is written', async () => {
    const namesIn = async (region: string) =>
      (await predicted(`param location = '${region}'`)).predictedResources.map(({ name }) => name);
    const names = await namesIn('northeurope');
    expect(await namesIn('North Europe')).toEqual(names);
    const other = await namesIn('');
    for (const type of ['kv-cred-', 'kv-token-', 'strot', 'func-rotator-'])
      expect(
        names.find((name) => name.startsWith(type)),
        type,
      ).not.toBe(other.find((name) => name.startsWith(type)));
  });

  it('switches Entra authentication off explicitly if it is not requested', async () => {
    const [settings] = ofType(await predicted(''), 'Microsoft.Web/sites/config');
    expect(settings).toMatchObject({ properties: { platform: { enabled: false } } });
    expect(settings?.id).toMatch(/authsettingsV2$/);
  });

  function predicted(replace: string) {
    return predictedWith(serverOf(), replace);
  }
}

/** @throws Error with the message of the template if it refuses the parameters */
export function predictedWith(server: BicepServer, parameters: string): Promise<Snapshot> {
  const change = { file: parameterFile('smallest'), find: '', replace: parameters };
  return withChange(change, (root) => server.snapshot(root, parameterFile('smallest')));
}

function isViolationOf({ violation }: Mutant): (violation: string) => boolean {
  return (each) => each.includes(violation);
}

/** With everything switched on: the violations of the rules, and the differences from the table of rights. Empty if it does not compile. */
async function violationsOfSnapshot(
  server: BicepServer,
  root: string,
  documented: readonly string[],
): Promise<string[]> {
  const snapshot = await server.snapshot(root, parameterFile('production')).catch(() => undefined);
  if (!snapshot) return [];
  const deployed = new Set(deployedRights(snapshot));
  return [
    ...resourceViolations(snapshot),
    ...absentTypes(snapshot),
    ...[...deployed].filter((right) => !documented.includes(right)).map((right) => `rights: ${right}`),
    ...documented.filter((right) => !deployed.has(right)).map((right) => `missing: ${right}`),
  ];
}

/** The findings of the compiler; if there are none, those of the rules. */
async function violationsOfTemplate(server: BicepServer, root: string): Promise<string[]> {
  const { diagnostics, template } = await server.compile(root, join('infra', 'main.bicep'));
  const findings = diagnostics.filter(({ code }) => code !== DEPENDS_ON_DATE);
  if (findings.length > 0) return findings.map(({ code, message }) => `${code}: ${message}`);
  return templateViolations(template);
}
