import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { ofType } from '../support/arm.ts';
import { DEPENDS_ON_DATE, ROOT } from '../support/bicepCli.ts';
import type { BicepServer } from '../support/bicepServer.ts';
import {
  type Deployment,
  PARAMETER_FILES,
  type ParameterFile,
  readDeployment,
  SNAPSHOT,
} from '../support/deployment.ts';
import { absentTypes, resourceViolations } from '../support/resourceRules.ts';
import { deployedRights, documentedRights } from '../support/rights.ts';
import { appSettings, understood } from '../support/settings.ts';
import { templateViolations } from '../support/templateRules.ts';
import { withChange } from '../support/workshop.ts';

const OFFICER = 'Key Vault Secrets Officer';
const EXISTING_ROLE = 'unknown role 50000000-0000-4000-8000-000000000001';

/** The committed Bicep. */
export function deploymentSuite(serverOf: () => BicepServer): void {
  let server: BicepServer;
  let deployment: Deployment;

  beforeAll(async () => {
    server = serverOf();
    deployment = await readDeployment(server, ROOT);
  });

  describe('each file', () => {
    const files = globSync(['infra/**/*.bicep', 'infra/*.bicepparam', 'test/infra/**/*.bicepparam'], {
      cwd: ROOT,
    });

    it.each(files.filter((file) => file.endsWith('.bicep')))(
      '%s compiles without a warning',
      async (file) => {
        const { diagnostics } = await server.compile(ROOT, file);
        const findings = diagnostics.filter(({ code }) => code !== DEPENDS_ON_DATE);
        expect(findings.map(({ code, message }) => `${code}: ${message}`)).toEqual([]);
      },
    );

    it.each(files)('%s is formatted', async (file) => {
      expect(readText(file)).toBe(await server.format(ROOT, file));
    });
  });

  it('follows the rules with all parameters', () => {
    expect(templateViolations(deployment.template)).toEqual([]);
  });

  describe.each(PARAMETER_FILES)('with the parameters %s', (name) => {
    it('deploys only safe settings', () => {
      expect(deployment.snapshots[name].diagnostics).toEqual([]);
      expect(resourceViolations(deployment.snapshots[name])).toEqual([]);
    });
  });

  it('with everything switched on, matches the snapshot; "npm run infra -- --write" updates it', () => {
    expect(deployment.snapshots.production).toEqual(JSON.parse(readText(SNAPSHOT)));
  });

  it('makes no network, no vault and no availability test without a parameter for it', () => {
    const typesOf = (name: ParameterFile) =>
      new Set(deployment.snapshots[name].predictedResources.map(({ type }) => type));
    const leftOut = (name: ParameterFile) =>
      [...typesOf('production')].filter((type) => !typesOf(name).has(type)).sort();
    expect([...typesOf('smallest')].join()).not.toContain('Microsoft.Network/');
    expect(leftOut('smallest').filter((type) => !type.startsWith('Microsoft.Network/'))).toEqual([
      'Microsoft.Insights/webtests',
    ]);
    expect(leftOut('landingZone')).toEqual([
      'Microsoft.Authorization/roleDefinitions',
      'Microsoft.Insights/webtests',
      'Microsoft.KeyVault/vaults',
      'Microsoft.Network/natGateways',
      'Microsoft.Network/privateDnsZones',
      'Microsoft.Network/privateDnsZones/virtualNetworkLinks',
      'Microsoft.Network/publicIPAddresses',
      'Microsoft.Network/virtualNetworks',
    ]);
  });

  it('puts the app and the endpoints into existing subnets, and their names into existing zones', () => {
    const { landingZone } = deployment.snapshots;
    expect(ofType(landingZone, 'Microsoft.Web/sites')[0]?.properties.virtualNetworkSubnetId).toMatch(
      /\/rotator$/,
    );
    const endpoints = ofType(landingZone, 'Microsoft.Network/privateEndpoints');
    expect(endpoints.map(({ properties }) => properties.subnet.id.split('/').at(-1))).toEqual(
      endpoints.map(() => 'endpoints'),
    );
    const zones = ofType(landingZone, 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups').map(
      ({ properties }) => properties.privateDnsZoneConfigs[0].properties.privateDnsZoneId,
    );
    expect(zones.filter((zone) => !zone.includes('/resourceGroups/rg-hub/'))).toEqual([]);
  });

  it('lets token requests come from one address with a NAT gateway, and from any without', () => {
    const [network] = ofType(deployment.snapshots.production, 'Microsoft.Network/virtualNetworks');
    const [functions] = network?.properties.subnets ?? [];
    const [gateway] = ofType(deployment.snapshots.production, 'Microsoft.Network/natGateways');
    expect(functions.properties).toMatchObject({
      natGateway: { id: gateway?.id },
      defaultOutboundAccess: false,
    });
    expect(deployment.snapshots.production.outputs.OUTBOUND_ADDRESS).toContain('outboundAddress');
    expect(deployment.snapshots.smallest.outputs.OUTBOUND_ADDRESS).toBe('');
  });

  it('calls the health endpoint from each named location', () => {
    const [test] = ofType(deployment.snapshots.production, 'Microsoft.Insights/webtests');
    const [component] = ofType(deployment.snapshots.production, 'Microsoft.Insights/components');
    expect(Object.keys(test?.tags ?? {})).toContain(`hidden-link:${component?.id}`);
    expect(test?.properties).toMatchObject({
      Locations: [{ Id: 'emea-nl-ams-azr' }, { Id: 'emea-gb-db3-azr' }],
      Request: { RequestUrl: expect.stringMatching(/\/api\/health\b/) },
    });
  });

  it('installs the package of a release if its address is given', () => {
    const extension = 'Microsoft.Web/sites/extensions';
    expect(ofType(deployment.snapshots.smallest, extension)).toEqual([]);
    expect(ofType(deployment.snapshots.releasePackage, extension)).toMatchObject([
      {
        name: expect.stringMatching(/\/onedeploy$/),
        properties: { packageUri: expect.stringMatching(/^https:.*\/dist\.zip$/), remoteBuild: false },
      },
    ]);
  });

  it('warns if there are no connections, if alarms reach no address, and if a vault is shared', () => {
    const warnings = (name: ParameterFile) => deployment.snapshots[name].outputs.WARNINGS;
    expect(warnings('production')).toBe('');
    expect(warnings('smallest')).toMatch(/^No connections are set.* set alarmEmails and deploy again\.$/);
    expect(warnings('landingZone')).toMatch(/alarmEmails.* contoso-credentials.* contoso-tokens/s);
  });

  it('starts small by default', () => {
    const only = (type: string) => ofType(deployment.snapshots.smallest, type)[0]?.properties;
    expect(only('Microsoft.OperationalInsights/workspaces')).toMatchObject({ retentionInDays: 30 });
    expect(only('Microsoft.Web/sites')).toMatchObject({
      functionAppConfig: { scaleAndConcurrency: { alwaysReady: [], instanceMemoryMB: 512 } },
    });
    expect(only('Microsoft.Web/sites/config')).toMatchObject({ platform: { enabled: false } });
    for (const type of ['Microsoft.KeyVault/vaults', 'Microsoft.Storage/storageAccounts'])
      expect(only(type)).toMatchObject({ networkAcls: { defaultAction: 'Allow' } });
    expect(appSettings(deployment.snapshots.smallest).CONNECTIONS).toBe('{"connections":{}}');
  });

  it('with everything switched on, has all resources that the rules check', () => {
    expect(absentTypes(deployment.snapshots.production)).toEqual([]);
  });

  describe('gives the rights that docs/security.md lists', () => {
    const documented = documentedRights(readText('docs/security.md'));

    it('to all principals', () => {
      const deployed = deployedRights(deployment.snapshots.production);
      expect([...new Set(deployed)].sort()).toEqual([...documented].sort());
    });

    it('to the rotator alone if the parameters name no other principal', () => {
      const deployed = deployedRights(deployment.snapshots.smallest);
      expect(deployed.sort()).toEqual(documented.filter((right) => right.startsWith('rotator')).sort());
    });

    it.each([
      [
        'custom',
        'Microsoft.KeyVault/vaults/certificates/read, Microsoft.KeyVault/vaults/keys/read, Microsoft.KeyVault/vaults/keys/sign/action, getSecret, readMetadata, setSecret, update',
      ],
      ['secretsOfficer', 'Key Vault Certificate User', 'Key Vault Crypto User', OFFICER],
    ])('of a signer on the credential vault alone, with the role %s', async (role, ...may) => {
      const file = join('test', 'infra', 'parameters', 'smallest.bicepparam');
      const replace = `param signWithVaultKeys = true\nparam rotatorVaultRole = '${role}'`;
      const snapshot = await withChange({ file, find: '', replace }, (root) => server.snapshot(root, file));
      const rights = deployedRights(snapshot);
      const on = (vault: string) =>
        rights.filter((right) => right.startsWith(`rotator | ${vault} | `)).sort();
      expect(on('credential vault')).toEqual(may.map((each) => `rotator | credential vault | ${each}`));
      expect(on('token vault')).toHaveLength(1);
      expect(on('token vault')[0]).not.toMatch(/sign|Crypto|certificates/);
    });

    it('through a role that exists already', () => {
      const deployed = deployedRights(deployment.snapshots.landingZone);
      const onVaults = deployed.filter((right) => /^rotator \| (credential|token) vault/.test(right));
      expect(onVaults.map((right) => right.split(' | ').at(-1))).toEqual([EXISTING_ROLE, EXISTING_ROLE]);
    });

    it('of an operator to the principal that deploys, if that is interactive', () => {
      const deployed = deployedRights(deployment.snapshots.landingZone);
      const of = (who: string) =>
        deployed.flatMap((right) => (right.startsWith(`${who} | `) ? right.replace(who, '') : [])).sort();
      expect(of('workflow')).toEqual(of('operators'));
      expect(of('workflow')).toHaveLength(3);
    });
  });

  describe('gives the app valid settings', () => {
    it('with connections in a setting', () => {
      const { credentialVaultUrl, tokenVaultUrl, connectionsSource, ...rest } = understood(
        deployment.snapshots.landingZone,
      );
      expect({ credentialVaultUrl, tokenVaultUrl }).toEqual({
        credentialVaultUrl: 'https://contoso-credentials.vault.azure.net',
        tokenVaultUrl: 'https://contoso-tokens.vault.azure.net',
      });
      expect(connectionsSource).toMatchObject({ kind: 'inline' });
      expect(rest).toMatchObject({ scheduleIntervalMs: 10_000, vaultWritesPer10Seconds: 297, warnings: [] });
      const { CONNECTIONS = '' } = appSettings(deployment.snapshots.landingZone);
      expect(Object.keys(JSON.parse(CONNECTIONS).connections)).toEqual(['dynamics-prod', 'okta']);
    });

    it('with connections in a blob', () => {
      const { connectionsSource, storage } = understood(deployment.snapshots.production);
      const [account] = ofType(deployment.snapshots.production, 'Microsoft.Storage/storageAccounts');
      expect(deployment.snapshots.production.outputs.STORAGE_ACCOUNT_NAME).toBe(account?.name);
      const blobServiceUrl = `https://${account?.name}.blob.core.windows.net`;
      expect(storage).toMatchObject({ kind: 'identity', blobServiceUrl });
      expect(connectionsSource).toEqual({
        kind: 'blob',
        url: `${blobServiceUrl}/config/connections.json`,
      });
    });
  });

  it('tells the upload the limits that the app has', async () => {
    const file = join('test', 'infra', 'parameters', 'smallest.bicepparam');
    const replace =
      "param allowedTokenHosts = ['login.example.com', '*.example.org']\nparam allowedVaults = ['https://a.vault.azure.net', 'https://b.vault.azure.net']";
    const snapshot = await withChange({ file, find: '', replace }, (root) => server.snapshot(root, file));
    const { ALLOWED_TOKEN_HOSTS, ALLOWED_VAULTS } = appSettings(snapshot);
    expect(snapshot.outputs).toMatchObject({ ALLOWED_TOKEN_HOSTS, ALLOWED_VAULTS });
    expect(ALLOWED_TOKEN_HOSTS).toBe('login.example.com *.example.org');
  });

  it('needs the resource providers that docs/deploy.md names, and the one of the delegated subnet', () => {
    const section = readText('docs/deploy.md')
      .split(/^##+ /m)
      .find((part) => part.startsWith('Resource providers'));
    const named = new Set(section?.match(/Microsoft\.\w+/g));
    const ofResources = Object.values(deployment.snapshots).flatMap(({ predictedResources }) =>
      predictedResources.map(({ type }) => type.split('/')[0]),
    );
    // Every subscription has this one registered.
    const needed = new Set(ofResources.filter((namespace) => namespace !== 'Microsoft.Authorization'));
    expect([...named].sort()).toEqual([...needed, 'Microsoft.App'].sort());
  });

  it('adds only rights and audit logs to existing vaults', () => {
    const { predictedResources } = deployment.snapshots.landingZone;
    const onVaults = predictedResources.filter(({ id }) => /rg-(credentials|tokens)\/providers/.test(id));
    expect(onVaults).not.toEqual([]);
    expect(new Set(onVaults.map(({ type }) => type.split('/').at(-1)))).toEqual(
      new Set(['roleAssignments', 'diagnosticSettings']),
    );
  });

  it('gives two rotators on one vault, and one on a vault that moved, custom roles that differ in id and name', async () => {
    const file = join('test', 'infra', 'parameters', 'smallest.bicepparam');
    const rolesOf = async (environmentName: string, group: string) => {
      const vault = `/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/${group}/providers/Microsoft.KeyVault/vaults/shared`;
      const replace = `param environmentName = '${environmentName}'\nparam existingCredentialVaultId = '${vault}'\nparam singleVault = true`;
      const snapshot = await withChange({ file, find: '', replace }, (root) => server.snapshot(root, file));
      return ofType(snapshot, 'Microsoft.Authorization/roleDefinitions');
    };
    const roles = [
      ...(await rolesOf('one', 'rg-a')),
      ...(await rolesOf('two', 'rg-a')),
      ...(await rolesOf('one', 'rg-b')),
    ];
    expect(new Set(roles.map(({ name }) => name)).size).toBe(3);
    expect(new Set(roles.map(({ properties }) => properties.roleName)).size).toBe(3);
  });

  it('gives the audit logs of two rotators different names, so that they can share a vault', () => {
    const names = PARAMETER_FILES.map((file) => [
      ...new Set(
        ofType(deployment.snapshots[file], 'Microsoft.Insights/diagnosticSettings').map(({ name }) =>
          name.split('/').at(-1),
        ),
      ),
    ]);
    expect(names.map(({ length }) => length)).toEqual(names.map(() => 1));
    expect(new Set(names.flat()).size).toBe(names.length);
  });

  it('takes name, region and operators from azd', async () => {
    const snapshot = await server.snapshot(ROOT, join('infra', 'main.bicepparam'));
    const [identity] = ofType(snapshot, 'Microsoft.ManagedIdentity/userAssignedIdentities');
    expect(identity).toMatchObject({ tags: { 'azd-env-name': 'from-azd' }, location: 'swedencentral' });
    expect(ofType(snapshot, 'Microsoft.Web/sites')[0]?.tags['azd-service-name']).toBe('rotator');
    const rights = deployedRights(snapshot);
    expect(rights).toContain(`operators | credential vault | ${OFFICER}`);
    expect(rights, 'interactive azd').toContain(`workflow | credential vault | ${OFFICER}`);
    const types = ofType(snapshot, 'Microsoft.Authorization/roleAssignments').map(
      ({ properties }) => properties.principalType,
    );
    expect(types, 'the operator is a group').toContain('Group');
    expect(types).not.toContain('User');
  });
}

/** The same files, deployed by a pipeline that has the variables of azd. */
export function pipelineSuite(serverOf: () => BicepServer): void {
  it('gives the principal that deploys no right on a vault, and the operators theirs', async () => {
    const rights = deployedRights(await serverOf().snapshot(ROOT, join('infra', 'main.bicepparam')));
    expect(rights.filter((right) => right.startsWith('workflow'))).toEqual([]);
    expect(rights).toContain(`operators | credential vault | ${OFFICER}`);
  });

  it('lets it upload the connections, if they are in a blob', async () => {
    const inBlob = {
      file: join('infra', 'main.bicepparam'),
      find: "param connectionsSource = 'inline'",
      replace: "param connectionsSource = 'blob'",
    };
    const snapshot = await withChange(inBlob, (root) => serverOf().snapshot(root, inBlob.file));
    expect(deployedRights(snapshot).filter((right) => right.startsWith('workflow'))).toEqual([
      'workflow | container config | Storage Blob Data Contributor',
    ]);
  });
}

/** The same files, read by the identity that shows a pull request what it would change. */
export function previewSuite(serverOf: () => BicepServer): void {
  it('gives the author of a pull request no right, wherever the connections are', async () => {
    const file = join('infra', 'main.bicepparam');
    const find = "param connectionsSource = 'inline'";
    for (const replace of [find, "param connectionsSource = 'blob'"]) {
      const snapshot = await withChange({ file, find, replace }, (root) => serverOf().snapshot(root, file));
      expect(deployedRights(snapshot).filter((right) => right.startsWith('workflow'))).toEqual([]);
    }
  });
}

/** A checkout on Windows may have other line ends. */
function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8').replaceAll('\r\n', '\n');
}
