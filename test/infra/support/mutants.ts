import type { Change } from './workshop.ts';

/** A harmful change, and a part of the message that the rules must report for it. */
export interface Mutant extends Change {
  readonly violation: string;
}

const MODULES = 'infra/modules';

/** The rules or the table of rights must detect each of them, and those of publicFailures.ts. */
export const MUTANTS: readonly Mutant[] = [
  // Rights
  ...custom("'Microsoft.KeyVault/vaults/secrets/update/action'", [
    ["'Microsoft.KeyVault/vaults/secrets/*'", 'wildcard'],
    [
      "'Microsoft.KeyVault/vaults/secrets/update/action'\n          'Microsoft.KeyVault/vaults/secrets/delete/action'",
      'delete',
    ],
    [
      "'Microsoft.KeyVault/vaults/secrets/update/action'\n          'Microsoft.KeyVault/vaults/secrets/purge/action'",
      'purge',
    ],
  ]),
  ...custom('actions: []\n        notActions', [
    ["actions: ['Microsoft.KeyVault/vaults/write']\n        notActions", 'Microsoft.KeyVault/vaults/write'],
  ]),
  ...custom('assignableScopes: [resourceGroup().id]', [
    ['assignableScopes: [subscription().id]', 'can be assigned on /subscriptions/'],
  ]),
  ...custom("assigned == 'custom') {\n  name: guid(vault.id, principalId, customRole.id)\n  scope: vault", [
    [
      "assigned == 'custom') {\n  name: guid(vault.id, principalId, customRole.id)",
      'which is not a resource',
    ],
  ]),
  change('deployerOnStorage.bicep', 'if (records)', '', 'rights: workflow | container token-rotator-records'),
  change(
    'rotatorOnHost.bicep',
    'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
    '8e3af657-a8ff-443c-a75c-2fe8c4bcb635',
    'not a role of the table',
  ),
  change(
    'rotatorOnHost.bicep',
    'b7e6dc6d-f1e8-4753-8033-0f276bb0955b',
    'ba92f5b4-2d11-453d-a403-e96b0029c9fe',
    'rights: rotator | storage account',
  ),
  change(
    'vaultAccess.bicep',
    '4633458b-17de-408a-b874-0445c86b69e6',
    'b86a8fe4-44ce-4948-aee5-eccb2c155cd7',
    'rights: consumers | token vault',
  ),
  change('storage.bicep', 'scope: records', 'scope: account', 'rights: operators | storage account'),
  main('    readers: []\n', '    readers: tokenReaders\n', 'rights: consumers | credential vault'),
  main('    officers: []\n', '    officers: operators\n', 'rights: operators | token vault'),
  // Vaults
  change(
    'vault.bicep',
    'purgeProtection ? true : null',
    '!purgeProtection ? true : null',
    'enablePurgeProtection',
  ),
  main('param purgeProtection bool = true', 'param purgeProtection bool = false', 'enablePurgeProtection'),
  change('vault.bicep', "bypass: 'None'", "bypass: 'AzureServices'", 'networkAcls.bypass'),
  change('vault.bicep', "firewall.closed ? 'Deny' : 'Allow'", "'Allow'", 'open to every address'),
  change(
    'vaultAccess.bicep',
    "categoryGroup: 'audit', enabled: true",
    "categoryGroup: 'audit', enabled: false",
    'no audit log',
  ),
  change('vaultAccess.bicep', "logAnalyticsDestinationType: 'Dedicated'", '', 'no audit log'),
  // Storage
  change(
    'storage.bicep',
    'allowSharedKeyAccess: false',
    'allowSharedKeyAccess: true',
    'allowSharedKeyAccess',
  ),
  change(
    'storage.bicep',
    'allowBlobPublicAccess: false',
    'allowBlobPublicAccess: true',
    'allowBlobPublicAccess',
  ),
  change('storage.bicep', "minimumTlsVersion: 'TLS1_2'", "minimumTlsVersion: 'TLS1_0'", 'minimumTlsVersion'),
  change(
    'storage.bicep',
    'supportsHttpsTrafficOnly: true',
    'supportsHttpsTrafficOnly: false',
    'HttpsTrafficOnly',
  ),
  change(
    'storage.bicep',
    "name: configContainerName\n  properties: { publicAccess: 'None' }",
    "name: configContainerName\n  properties: { publicAccess: 'Blob' }",
    'publicAccess',
  ),
  change(
    'storage.bicep',
    '',
    "@description('The key.')\noutput key string = account.listKeys().keys[0].value",
    'outputs-should-not-contain-secrets',
  ),
  change(
    'storage.bicep',
    '',
    "@description('The name.')\n@secure()\noutput key string = account.name",
    'the output key is a secret',
  ),
  // Function app
  change('functionApp.bicep', '    httpsOnly: true', '    httpsOnly: false', 'httpsOnly'),
  change('functionApp.bicep', "  minTlsVersion: '1.2'", "  minTlsVersion: '1.0'", 'minTlsVersion'),
  change(
    'functionApp.bicep',
    "type: 'UserAssignedIdentity'",
    "type: 'SystemAssignedIdentity'",
    'authentication.type',
  ),
  change(
    'functionApp.bicep',
    "type: 'UserAssigned'\n",
    "type: 'SystemAssigned, UserAssigned'\n",
    'only the user-assigned identity',
  ),
  change(
    'functionApp.bicep',
    "name: 'scm'\n  properties: { allow: false }",
    "name: 'scm'\n  properties: { allow: true }",
    'allow is true',
  ),
  change(
    'functionApp.bicep',
    "sites/config@2025-03-01' = {",
    "sites/config@2025-03-01' = if (false) {",
    'there is no',
  ),
  change('functionApp.bicep', 'http20Enabled: true', 'webSocketsEnabled: false', 'no source says'),
  change('functionApp.bicep', 'entraAuthentication != null', 'false', 'do not belong together'),
  change('functionApp.bicep', 'entraAuthentication == null', 'true', 'Entra authentication should be true'),
  change('functionApp.bicep', "['/api/health']", "['/api/*']", 'lets every caller reach /api/*'),
  change(
    'functionApp.bicep',
    'allowedAudiences: [entraAuthentication!.clientId, ',
    'allowedAudiences: [',
    'does not accept exactly the tokens',
  ),
  change(
    'functionApp.bicep',
    "subscription().tenantId}/v2.0'",
    "'common'}/v2.0'",
    'accepts tokens of every tenant',
  ),
  change(
    'functionApp.bicep',
    "        { name: 'AzureWebJobsStorage__clientId', value: identityClientId }\n",
    '',
    'does not name the user-assigned identity',
  ),
  change(
    'functionApp.bicep',
    '  dependsOn: [authentication]\n',
    '',
    'package does not wait for authentication',
  ),
  main(
    'dependsOn: [rotatorOnHost, rotatorOnCredentialVault, rotatorOnTokenVault, endpoints]',
    'dependsOn: [rotatorOnHost, rotatorOnCredentialVault, rotatorOnTokenVault]',
    'functionApp does not wait for endpoints',
  ),
  main(
    'dependsOn: [rotatorOnHost, rotatorOnCredentialVault, rotatorOnTokenVault, endpoints]',
    'dependsOn: [endpoints]',
    'functionApp does not wait for rotatorOnCredentialVault',
  ),
  main(
    '    dependsOn: [credentialVault, tokenVault, storage]\n',
    '',
    'endpoints does not wait for tokenVault',
  ),
  main('  }\n  dependsOn: [storage, logs]\n', '  }\n', 'rotatorOnHost does not wait for storage'),
  change(
    'functionApp.bicep',
    'requireAuthentication: true',
    'requireAuthentication: false',
    'requireAuthentication',
  ),
  change(
    'functionApp.bicep',
    "'CREDENTIAL_VAULT_URL'",
    "'CREDENTIALS_VAULT_URL'",
    'nothing reads the setting CREDENTIALS_VAULT_URL',
  ),
  main(
    "bool = false\n\n@description('Optional. Address range",
    "bool = false\n\n@description('Address range",
    'is not described',
  ),
  change(
    'functionApp.bicep',
    "@description('Name of the function app.')\n",
    '',
    'the output name is not described',
  ),
  change(
    'types.bicep',
    "  @description('Required. The app role that a caller must have; the functions check it.')\n",
    '',
    'appRole is not described',
  ),
  main("string = '*/10 * * * * *'", "string = '@daily'", 'ROTATION_SCHEDULE'),
  // Logs and network
  change('logs.bicep', 'DisableLocalAuth: true', 'DisableLocalAuth: false', 'DisableLocalAuth'),
  change('logs.bicep', 'disableLocalAuth: true', 'disableLocalAuth: false', 'features.disableLocalAuth'),
  main("privateNetworking ? functionsSubnetId : ''", "''", 'is not in the network'),
  change(
    'privateEndpoint.bicep',
    "privateDnsZoneGroups@2025-05-01' = {",
    "privateDnsZoneGroups@2025-05-01' = if (location == '') {",
    'private endpoints',
  ),
  main("for service in ['blob', 'table']", "for service in ['blob']", 'private endpoints'),
];

export function change(module: string, find: string, replace: string, violation: string): Mutant {
  return { file: `${MODULES}/${module}`, find, replace, violation };
}

export function main(find: string, replace: string, violation: string): Mutant {
  return { file: 'infra/main.bicep', find, replace, violation };
}

function custom(find: string, changes: readonly [replace: string, violation: string][]): Mutant[] {
  return changes.map(([replace, violation]) => change('rotatorOnVault.bicep', find, replace, violation));
}
