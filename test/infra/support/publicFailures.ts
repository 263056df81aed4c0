import { change, type Mutant, main } from './mutants.ts';

const FUNCTIONS = 'https://learn.microsoft.com/azure/azure-functions';
const KEY_VAULT = 'https://learn.microsoft.com/azure/key-vault/general';
const GITHUB = 'https://github.com';

/**
 * What keeps a failure away. `cause`: a change that brings it back, which the rules report. `refused`: parameters that cause it, and the
 * message of the template. `tested`: the test that fails when it comes back, or that shows the message.
 */
type Guard =
  | { readonly cause: Mutant }
  | { readonly refused: string; readonly message: string }
  | { readonly tested: string; readonly title: string };

/** A deployment or a running app that failed at others, with the public report or the rule. */
export type PublicFailure = Guard & { readonly failure: string; readonly source: string };

const SUBNET = '/subscriptions/s/resourceGroups/g/providers/Microsoft.Network/virtualNetworks/v/subnets/s';
const DEPLOYMENT = 'test/infra/suites/deployment.ts';
const PARAMETERS = 'test/infra/suites/mutants.ts';
const WORKFLOWS = 'test/package/workflows.test.ts';

export const PUBLIC_FAILURES: readonly PublicFailure[] = [
  // Flex Consumption
  {
    failure: 'ARM error 51021 for siteConfig.ftpsState',
    source: 'https://learn.microsoft.com/answers/questions/2277522/',
    cause: siteConfig("ftpsState: 'Disabled'", 'does not accept ftpsState'),
  },
  {
    failure: 'ARM error 51021 for siteConfig.linuxFxVersion',
    source: `${GITHUB}/Azure/terraform-azurerm-avm-res-web-site/pull/345`,
    cause: siteConfig("linuxFxVersion: 'NODE|24'", 'does not accept linuxFxVersion'),
  },
  {
    failure: 'a scale limit in siteConfig blocks every later change of the configuration',
    source: `${GITHUB}/Azure/azure-functions-host/issues/10643`,
    cause: siteConfig('functionAppScaleLimit: 1', 'does not accept functionAppScaleLimit'),
  },
  {
    failure: 'the app setting FUNCTIONS_WORKER_RUNTIME is refused',
    source: `${FUNCTIONS}/functions-app-settings#flex-consumption-plan-deprecations`,
    cause: setting('FUNCTIONS_WORKER_RUNTIME', 'node'),
  },
  {
    failure: 'a package named by WEBSITE_RUN_FROM_PACKAGE is never loaded',
    source: `${GITHUB}/Azure/Azure-Functions/issues/2558`,
    cause: setting('WEBSITE_RUN_FROM_PACKAGE', '1'),
  },
  {
    failure:
      'the size of the thread pool has no effect, because Node has started before it gets its settings',
    source: 'https://docs.libuv.org/en/v1.x/threadpool.html',
    cause: setting('UV_THREADPOOL_SIZE', '16'),
  },
  {
    failure: 'a maximum of fewer than 40 instances is refused',
    source: `${FUNCTIONS}/flex-consumption-plan#considerations`,
    cause: change(
      'functionApp.bicep',
      'maximumInstanceCount: 40',
      'maximumInstanceCount: 10',
      'maximumInstanceCount',
    ),
  },
  {
    failure: 'an account key in AzureWebJobsStorage is refused, because keys are switched off',
    source: `${GITHUB}/Azure/azure-functions-host/issues/11796`,
    cause: change(
      'functionApp.bicep',
      "{ name: 'AzureWebJobsStorage__accountName', value: storageAccountName }",
      "{ name: 'AzureWebJobsStorage', value: 'DefaultEndpointsProtocol=https;AccountName=store;AccountKey=x' }",
      'contains a secret',
    ),
  },
  {
    failure: 'a deployment kills the invocations in flight',
    source: `${GITHUB}/Azure/azure-functions-host/issues/12007`,
    cause: main(
      "param updateStrategy string = 'RollingUpdate'",
      "param updateStrategy string = 'Recreate'",
      'siteUpdateStrategy',
    ),
  },
  {
    failure: 'a version of Node that has ended',
    source: `${FUNCTIONS}/supported-languages#languages-by-runtime-version`,
    cause: change('functionApp.bicep', "version: '24'", "version: '20'", 'runtime.version'),
  },
  {
    failure: 'a region without Flex Consumption, found out after the vaults exist',
    source: `${GITHUB}/Azure/azure-cli/issues/30467`,
    tested: 'test/package/documentedCommands.test.ts',
    title: 'docs/deploy.md names the command that lists the regions',
  },
  {
    failure: 'timers that never fire again after a deployment, while HTTP works',
    source: `${GITHUB}/Azure/azure-functions-host/issues/11828`,
    tested: 'test/infra/queries.test.ts',
    title: 'noSweep waits an hour for a rotator that has never run, and for no other',
  },
  // Networks
  {
    failure: 'ReferencedResourceNotProvisioned: private endpoints created in parallel in one subnet',
    source: `${GITHUB}/Azure/bicep-ptn-aiml-landing-zone/issues/41`,
    cause: main('@batchSize(1)\n', '', 'creates private endpoints in parallel'),
  },
  {
    failure: 'error 500 for a subnet that is delegated to Microsoft.Web/serverFarms',
    source: `${GITHUB}/Azure/terraform-provider-azapi/issues/625`,
    cause: change(
      'network.bicep',
      "'Microsoft.App/environments'",
      "'Microsoft.Web/serverFarms'",
      'delegated',
    ),
  },
  {
    failure: 'the resource provider Microsoft.App is not registered',
    source: `${GITHUB}/Azure-Samples/functions-quickstart-python-http-azd/issues/12`,
    tested: DEPLOYMENT,
    title: 'needs the resource providers that docs/deploy.md names, and the one of the delegated subnet',
  },
  {
    failure: 'no way out: newer API versions create subnets without default outbound access',
    source: 'https://learn.microsoft.com/azure/virtual-network/ip-services/default-outbound-access',
    cause: change(
      'network.bicep',
      'defaultOutboundAccess: !natGateway',
      '',
      'does not set defaultOutboundAccess',
    ),
  },
  {
    failure: 'a network cannot be linked to two zones of one name',
    source: `${GITHUB}/microsoft-foundry/foundry-samples/pull/214`,
    tested: DEPLOYMENT,
    title: 'puts the app and the endpoints into existing subnets, and their names into existing zones',
  },
  {
    failure: 'storage accounts refuse /31 and /32 in the firewall',
    source:
      'https://learn.microsoft.com/azure/storage/common/storage-network-security-limitations#restrictions-for-ip-network-rules',
    refused: "param privateNetworking = true\nparam allowedIpRanges = ['203.0.113.7/32']",
    message: 'write each address without a suffix',
  },
  {
    failure: 'closed vaults refuse the app: trusted services do not include Functions',
    source: `${KEY_VAULT}/overview-vnet-service-endpoints#trusted-services`,
    refused: "param allowedIpRanges = ['203.0.113.7']",
    message: 'the app could not reach closed vaults',
  },
  {
    failure: 'a NAT gateway that is attached to nothing',
    source: 'https://learn.microsoft.com/azure/azure-functions/functions-how-to-use-nat-gateway',
    refused: `param privateNetworking = true\nparam natGateway = true\nparam existingFunctionsSubnetId = '${SUBNET}'\nparam existingEndpointsSubnetId = '${SUBNET}'`,
    message: 'attach a NAT gateway to its subnet yourself',
  },
  // Key Vault
  {
    failure: 'a deleted vault keeps its name for 90 days, also for a try in another region',
    source: `${GITHUB}/Azure-Samples/contoso-chat/issues/55`,
    cause: main(", toLower(replace(region, ' ', ''))", '', 'do not contain the region'),
  },
  {
    failure: 'SoftDeletedVaultDoesNotExist: the second run of a deployment that recovers a vault',
    source: `${GITHUB}/AzureCosmosDB/OmniVec/pull/24`,
    cause: change(
      'vault.bicep',
      '    enableSoftDelete: true',
      "    createMode: 'recover'\n    enableSoftDelete: true",
      'createMode is "recover"',
    ),
  },
  {
    failure: 'enablePurgeProtection cannot be set to false',
    source: `${GITHUB}/Azure/bicep/issues/5223`,
    tested: PARAMETERS,
    title: 'leaves purge protection out instead of setting it to false',
  },
  {
    failure: 'a vault in access-policy mode ignores role assignments',
    source: `${KEY_VAULT}/rbac-guide`,
    cause: change(
      'vault.bicep',
      'enableRbacAuthorization: true',
      'enableRbacAuthorization: false',
      'enableRbac',
    ),
  },
  {
    failure: 'a redeployment overwrites a secret with the one of the template',
    source: `${KEY_VAULT}/best-practices`,
    cause: change(
      'vault.bicep',
      '',
      "resource seed 'Microsoft.KeyVault/vaults/secrets@2026-02-01' = {\n  parent: vault\n  name: 'seed'\n  properties: { value: name }\n}",
      'declares Microsoft.KeyVault/vaults/secrets',
    ),
  },
  // Roles and principals
  {
    failure: 'RoleAssignmentUpdateNotPermitted: an identity was deleted and created again',
    source: `${GITHUB}/microsoft/startstopv2-deployments/issues/10`,
    cause: change(
      'rotatorOnVault.bicep',
      'guid(vault.id, principalId, customRole.id)',
      "guid(vault.id, 'rotator', customRole.id)",
      'not made of scope, principal and role',
    ),
  },
  {
    failure: 'PrincipalNotFound: the directory does not know a new identity yet',
    source: `${GITHUB}/Azure/bicep/issues/3695`,
    cause: change(
      'rotatorOnHost.bicep',
      "    principalType: 'ServicePrincipal'\n    roleDefinitionId: tableDataContributor",
      '    roleDefinitionId: tableDataContributor',
      'has the type undefined',
    ),
  },
  {
    failure: 'UnmatchedPrincipalType: a service principal deploys, and the template says User',
    source: `${GITHUB}/Azure/modern-web-app-pattern-dotnet/pull/129`,
    cause: main(
      "empty(deployer().?userPrincipalName) ? 'ServicePrincipal' : 'User'",
      "'User'",
      'the principal that deploys has the type User',
    ),
  },
  {
    failure: 'a service principal has no userPrincipalName, and the template stops',
    source: `${GITHUB}/Azure/bicep-reps/pull/14`,
    cause: main(
      'deployer().?userPrincipalName',
      'deployer().userPrincipalName',
      'the principal that deploys has the type',
    ),
  },
  {
    failure: 'a pipeline gets the rights of an operator, because it deploys',
    source: `${GITHUB}/Azure/azure-dev/issues/4620`,
    cause: main(
      "if (deployerRole == 'operator') {",
      "if (deployerRole != 'none') {",
      'rights: workflow | credential vault',
    ),
  },
  {
    failure: 'InaccessibleStorageException: the first upload comes before the role has spread',
    source: `${GITHUB}/Azure/azure-dev/issues/8026`,
    tested: 'test/package/untilRolesSpread.test.ts',
    title: 'runs a command again until roles have spread, with a line that says why',
  },
  {
    failure: 'RoleDefinitionDoesNotExist: a custom role was created a moment ago',
    source: `${GITHUB}/pulumi/pulumi-azure/issues/840`,
    tested: 'test/package/untilRolesSpread.test.ts',
    title: 'runs a command again until roles have spread, with a line that says why',
  },
  // Logs
  {
    failure: 'SEM0100: an alarm asks for a table that a new workspace does not have',
    source: `${GITHUB}/mspnp/aks-baseline/pull/422`,
    cause: change(
      'alarms.bicep',
      'skipQueryValidation: true',
      'skipQueryValidation: false',
      'skipQueryValidation',
    ),
  },
  // azd and pipelines
  {
    failure: 'azd asks for a region, and the template uses that of the resource group',
    source: `${GITHUB}/Azure/azure-dev/issues/2695`,
    tested: DEPLOYMENT,
    title: 'takes name, region and operators from azd',
  },
  {
    failure: 'azd builds the package again in Azure',
    source: `${GITHUB}/Azure/azure-dev/issues/4025`,
    tested: 'test/package/azureYaml.test.ts',
    title: 'azd deploys dist/ as it is to the function app, and infra/ with Bicep',
  },
  {
    failure: 'AADSTS700024: the assertion of a workflow is too old after a long step',
    source: `${GITHUB}/Azure/login/issues/372`,
    tested: WORKFLOWS,
    title: 'signs in again after each step that may take long',
  },
  {
    failure: 'the portal cannot download the template: the server allows no other origin',
    source: `${GITHUB}/Azure/azure-quickstart-templates/issues/8288`,
    tested: WORKFLOWS,
    title: 'puts the template where the portal can read it, with the address of the package in it',
  },
];

function siteConfig(property: string, violation: string): Mutant {
  return change(
    'functionApp.bicep',
    "scmMinTlsVersion: '1.2'",
    `scmMinTlsVersion: '1.2'\n      ${property}`,
    violation,
  );
}

function setting(name: string, value: string): Mutant {
  const first = "{ name: 'AZURE_CLIENT_ID', value: identityClientId }";
  return change(
    'functionApp.bicep',
    first,
    `${first}\n        { name: '${name}', value: '${value}' }`,
    `does not accept ${name}`,
  );
}
