metadata name = 'Key Vault token rotator'
metadata description = 'The rotator in one resource group: function app, vaults, storage, logs, alarms and optional private networking. Nothing is deployed above the resource group.'

targetScope = 'resourceGroup'

import { connectionMap } from 'modules/connection.bicep'
import { dnsZoneIds, entraAuthentication as entraAuthenticationType, principal, tagMap } from 'modules/types.bicep'

// Names, principals and region

@description('Optional. Name of this rotator; azd passes the name of its environment. It is part of every unique name, so another value creates another rotator. Default: rotator.')
@minLength(1)
@maxLength(64)
param environmentName string = 'rotator'

@description('Optional. Azure region; azd passes the one that it asked for. It is part of every unique name, so that a try in another region finds no name taken. Empty: the region of the resource group.')
@metadata({ azd: { type: 'location' } })
param location string = ''

@description('Optional. Additional tags of all resources.')
param tags tagMap = {}

@description('Optional. Principals that put client secrets and first refresh tokens into the credential vault, repair records and upload the connections file. Without one, no principal can set the first secrets.')
param operators principal[] = []

@description('Optional. What the principal that deploys gets. operator: the same as operators. uploader: it uploads the connections file, and gets nothing on the vaults. none: nothing.')
@allowed(['none', 'operator', 'uploader'])
param deployerRole string = 'none'

@description('Optional. Principals that read access tokens. They get Key Vault Secrets User on the token vault and nothing else, so the tokens need their own vault.')
param consumers principal[] = []

@description('Optional. Mail addresses for the alarms. Without one, alarms appear in the portal only, and the output WARNINGS says so.')
param alarmEmails string[] = []

@description('Optional. Locations from which Application Insights calls /api/health every 5 minutes, so that tokens stay fresh if the timer dies. Its results appear in the portal and raise no alarm: timerDead does. Ids such as emea-nl-ams-azr (West Europe) or us-va-ash-azr (East US). It costs extra. Empty: no availability test.')
@maxLength(5)
param availabilityTestLocations string[] = []

@description('Optional. Time of this deployment. A rotator that has never run gets an hour from then before the alarm noSweep fires.')
param deployedAt string = utcNow('yyyy-MM-ddTHH:mm:ssZ')

// Package

@description('Optional. https address of a dist.zip, for example of a release, that the deployment installs. Empty: you or azd deploy the package afterwards.')
param packageUri string = ''

// Connections and schedule

@description('Optional. The connections by name, as connections.schema.json describes them. They contain no secret.')
param connections connectionMap = {}

@description('Optional. inline: the connections above become an app setting of at most 30,000 characters. blob: the rotator reads them from the blob connections.json in the container config, which you or the hook of azd upload.')
@allowed(['inline', 'blob'])
param connectionsSource string = 'inline'

@description('Optional. When the rotator looks for connections that are due: NCRONTAB of six fields, with an interval under a minute. Lease (15 s) plus schedule interval must stay below the grace period of the provider.')
param rotationSchedule string = '*/10 * * * * *'

@description('Optional. New secret versions that the rotator writes per vault in 10 seconds. Key Vault accepts 300 from all clients together.')
@minValue(1)
@maxValue(300)
param vaultWritesPer10Seconds int = 297

@description('Optional. Secrets outside NAME-client-id, NAME-client-secret and NAME-refresh-token that the connections file may name. Others need the tag connections at the secret.')
param allowedSecrets string[] = []

@description('Optional. Host names of token endpoints, or *.example.com for all names below one; the connections file can name no others. Empty: no limit.')
param allowedTokenHosts string[] = []

@description('Optional. Addresses of vaults that the connections file may name in addition to the two of this deployment. Empty: no limit.')
param allowedVaults string[] = []

// Vaults

@description('Optional. true: one vault for credentials and tokens. No principal can then get access to the access tokens alone, and consumers must be empty.')
param singleVault bool = false

@description('Optional. Resource id of an existing vault (RBAC mode) for credentials, in any resource group. Default: a new one.')
param existingCredentialVaultId string = ''

@description('Optional. Resource id of an existing vault (RBAC mode) for tokens, in any resource group. Default: a new one.')
param existingTokenVaultId string = ''

@description('Optional. The role of the rotator on the vaults. custom: get, set, update and list secrets, with a role that the deployment creates. secretsOfficer: the built-in role, which may also delete and purge, for deployers without permission to create roles.')
@allowed(['custom', 'secretsOfficer'])
param rotatorVaultRole string = 'custom'

@description('Optional. Id of a custom role that exists already, with the four rights that docs/security.md lists for the rotator. It replaces rotatorVaultRole, and the deployment creates no role.')
param existingVaultRoleId string = ''

@description('Optional. true: the rotator may sign with keys and certificates of the credential vault, for entries whose clientKey names one. docs/clients.md says how to set up each.')
param signWithVaultKeys bool = false

@description('Optional. true: no principal can purge deleted secrets of new vaults before the retention is over. You cannot switch it off again. Use false only for trials.')
param purgeProtection bool = true

@description('Optional. Days for which deleted secrets of new vaults can be recovered. Fixed when the vault is created.')
@minValue(7)
@maxValue(90)
param softDeleteRetentionInDays int = 90

// Network

@description('Optional. true: virtual network, private endpoints for vaults and storage, and closed firewalls. false: their public addresses are open to every principal with a role, because the app has no fixed address.')
param privateNetworking bool = false

@description('Optional. Address range of the virtual network that privateNetworking creates, /24 or larger.')
param virtualNetworkAddressPrefix string = '10.80.0.0/24'

@description('Optional. true: token requests come from one fixed public address (NAT gateway), the output OUTBOUND_ADDRESS. It needs the virtual network that privateNetworking creates, and costs extra.')
param natGateway bool = false

@description('Optional. Resource id of an existing subnet for the app, delegated to Microsoft.App/environments and used by nothing else, in a network of the same region. With existingEndpointsSubnetId, privateNetworking creates no network.')
param existingFunctionsSubnetId string = ''

@description('Optional. Resource id of an existing subnet for the private endpoints, in the same network or in one that is peered with it, of the same region.')
param existingEndpointsSubnetId string = ''

@description('Optional. Private DNS zones that exist already, in any subscription, and that the network of the app resolves. Default: privateNetworking creates them and links them to that network.')
param existingDnsZones dnsZoneIds?

@description('Optional. Public IPv4 addresses or CIDR ranges (at most /30) that can reach vaults and storage despite private networking: operators and consumers outside the network, and the hook of azd.')
param allowedIpRanges string[] = []

@description('Optional. Entra ID in front of the HTTP functions, in addition to function keys. Default: function keys only. If you remove it, the next deployment switches it off.')
param entraAuthentication entraAuthenticationType?

// Size

@description('Optional. Memory of an instance in MB. Use 2048 above about 1,000 connections.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int = 512

@description('Optional. Instances that always run for the timer. 1 avoids cold starts, for providers with a short grace period; it costs extra.')
@minValue(0)
@maxValue(10)
param alwaysReadyInstances int = 0

@description('Optional. How a deployment replaces running instances. RollingUpdate is a preview, and lets a rotation end. Recreate kills it, and a token that is on its way to the vault is lost.')
@allowed(['RollingUpdate', 'Recreate'])
param updateStrategy string = 'RollingUpdate'

@description('Optional. Redundancy of the storage account. Use Standard_ZRS for production if the region has it.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Optional. Days for which logs and audit logs can be queried.')
@minValue(30)
@maxValue(730)
param logRetentionInDays int = 30

#disable-next-line no-loc-expr-outside-params // bicepparam files cannot pass the region of the resource group
var region = empty(location) ? resourceGroup().location : location
var suffix = uniqueString(resourceGroup().id, environmentName, toLower(replace(region, ' ', '')))
var name = 'rotator-${suffix}'
// Azure Resource Manager knows this name for users only.
var deployerType = empty(deployer().?userPrincipalName) ? 'ServicePrincipal' : 'User'
var allTags = union(tags, { 'azd-env-name': environmentName })
// Without the network, the app has no fixed address, so the firewalls could not admit it.
var firewall = {
  closed: privateNetworking
  allowedIpRanges: !privateNetworking && !empty(allowedIpRanges)
    ? fail('allowedIpRanges must be empty if privateNetworking is false: the app could not reach closed vaults.')
    : empty(filter(allowedIpRanges, range => contains(['31', '32'], last(split(range, '/')))))
        ? allowedIpRanges
        : fail('allowedIpRanges: storage accounts refuse /31 and /32; write each address without a suffix.')
}

// What contradicts each other is refused before anything is created.
var packageAddress = empty(packageUri) || startsWith(packageUri, 'https://')
  ? packageUri
  : fail('packageUri must start with https://.')
var oneSubnet = empty(existingFunctionsSubnetId) != empty(existingEndpointsSubnetId)
var subnetsWithoutSwitch = !privateNetworking && !empty(existingFunctionsSubnetId)
var ownNetwork = oneSubnet
  ? fail('existingFunctionsSubnetId and existingEndpointsSubnetId belong together: set both or none.')
  : subnetsWithoutSwitch
      ? fail('existingFunctionsSubnetId has no effect without privateNetworking: set privateNetworking to true.')
      : privateNetworking && empty(existingFunctionsSubnetId)
var withNatGateway = natGateway && !ownNetwork
  ? fail('natGateway needs the network that privateNetworking creates: set privateNetworking to true. For an existing network, attach a NAT gateway to its subnet yourself.')
  : natGateway

@description('The parts of a resource id: subscription at 2, resource group at 4, name at 8.')
func partsOf(vaultId string, parameter string) string[] =>
  length(split(vaultId, '/')) == 9 && contains(toLower(vaultId), '/providers/microsoft.keyvault/vaults/')
    ? split(vaultId, '/')
    : fail('${parameter} must be the resource id of a vault: /subscriptions/.../resourceGroups/.../providers/Microsoft.KeyVault/vaults/NAME.')

var credentialVaultId = empty(existingCredentialVaultId)
  ? resourceId('Microsoft.KeyVault/vaults', 'kv-cred-${suffix}')
  : existingCredentialVaultId
var ownTokenVaultId = empty(existingTokenVaultId)
  ? resourceId('Microsoft.KeyVault/vaults', 'kv-token-${suffix}')
  : existingTokenVaultId
var oneVault = singleVault || toLower(credentialVaultId) == toLower(ownTokenVaultId)
var tokenVaultId = oneVault ? credentialVaultId : ownTokenVaultId
var credentialVaultParts = partsOf(credentialVaultId, 'existingCredentialVaultId')
var tokenVaultParts = partsOf(tokenVaultId, 'existingTokenVaultId')
var credentialVaultName = credentialVaultParts[8]
var tokenVaultName = tokenVaultParts[8]
var credentialVaultUrl = 'https://${credentialVaultName}${environment().suffixes.keyvaultDns}'
var tokenVaultUrl = 'https://${tokenVaultName}${environment().suffixes.keyvaultDns}'

var storageAccountName = 'strot${suffix}'
var storageBlobUrl = 'https://${storageAccountName}.blob.${environment().suffixes.storage}'
var connectionsBlobUrl = '${storageBlobUrl}/config/connections.json'
var workspaceId = resourceId('Microsoft.OperationalInsights/workspaces', 'log-${name}')
var insightsName = 'appi-${name}'

// A consumer with access to a single vault could read the refresh tokens in it.
var tokenReaders = oneVault && !empty(consumers)
  ? fail('consumers must be empty if one vault holds credentials and tokens: set singleVault to false, or name another vault as existingTokenVaultId.')
  : consumers
var connectionsText = string({ connections: connections })
// Bicep evaluates variables even if nothing uses them, so each check has its condition.
var connectionsTooLong = connectionsSource == 'inline' && length(connectionsText) > 30000
var connectionsTwice = connectionsSource == 'blob' && !empty(connections)
var connectionsSetting = connectionsTooLong
  ? fail('connections are too long for an app setting: upload them as connections.json, and set connectionsSource to blob.')
  : connectionsTwice
      ? fail('connections must be empty if connectionsSource is blob: upload them as connections.json, or set connectionsSource to inline.')
      : connectionsSource == 'blob' ? connectionsBlobUrl : connectionsText

resource identity 'Microsoft.ManagedIdentity/userAssignedIdentities@2024-11-30' = {
  name: 'id-${name}'
  location: region
  tags: allTags
}

module logs 'modules/logs.bicep' = {
  params: {
    name: name
    location: region
    tags: allTags
    retentionInDays: logRetentionInDays
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    name: storageAccountName
    location: region
    tags: allTags
    skuName: storageSku
    firewall: firewall
    operators: operators
  }
}

module credentialVault 'modules/vault.bicep' = if (empty(existingCredentialVaultId)) {
  params: {
    name: credentialVaultName
    location: region
    tags: allTags
    firewall: firewall
    purgeProtection: purgeProtection
    softDeleteRetentionInDays: softDeleteRetentionInDays
  }
}

module tokenVault 'modules/vault.bicep' = if (!oneVault && empty(existingTokenVaultId)) {
  params: {
    name: tokenVaultName
    location: region
    tags: allTags
    firewall: firewall
    purgeProtection: purgeProtection
    softDeleteRetentionInDays: softDeleteRetentionInDays
  }
}

module credentialVaultAccess 'modules/vaultAccess.bicep' = {
  scope: resourceGroup(credentialVaultParts[2], credentialVaultParts[4])
  params: {
    vaultName: credentialVaultName
    readers: []
    officers: operators
    workspaceId: workspaceId
  }
  dependsOn: [credentialVault, logs]
}

module tokenVaultAccess 'modules/vaultAccess.bicep' = if (!oneVault) {
  scope: resourceGroup(tokenVaultParts[2], tokenVaultParts[4])
  params: {
    vaultName: tokenVaultName
    readers: tokenReaders
    officers: []
    workspaceId: workspaceId
  }
  dependsOn: [tokenVault, logs]
}

// The principal id is part of the names of these assignments, so that an identity that was deleted and created again gets new
// ones. What-if cannot look into a module with such a name, so these modules contain nothing else.

module rotatorOnHost 'modules/rotatorOnHost.bicep' = {
  params: {
    storageAccountName: storageAccountName
    insightsName: insightsName
    #disable-next-line what-if-short-circuiting
    principalId: identity.properties.principalId
  }
  dependsOn: [storage, logs]
}

module rotatorOnCredentialVault 'modules/rotatorOnVault.bicep' = {
  scope: resourceGroup(credentialVaultParts[2], credentialVaultParts[4])
  params: {
    vaultName: credentialVaultName
    role: rotatorVaultRole
    existingRoleId: existingVaultRoleId
    signs: signWithVaultKeys
    rotatorName: name
    #disable-next-line what-if-short-circuiting
    principalId: identity.properties.principalId
  }
  dependsOn: [credentialVault]
}

module rotatorOnTokenVault 'modules/rotatorOnVault.bicep' = if (!oneVault) {
  scope: resourceGroup(tokenVaultParts[2], tokenVaultParts[4])
  params: {
    vaultName: tokenVaultName
    role: rotatorVaultRole
    existingRoleId: existingVaultRoleId
    signs: false
    rotatorName: name
    #disable-next-line what-if-short-circuiting
    principalId: identity.properties.principalId
  }
  dependsOn: [tokenVault]
}

// Separate modules, because the deployment cannot loop over a value that only Azure knows. They come last: if the parameter operators
// names the deployer as well, the second assignment finds the same one and changes nothing.

module deployerOnVault 'modules/deployerOnVault.bicep' = if (deployerRole == 'operator') {
  scope: resourceGroup(credentialVaultParts[2], credentialVaultParts[4])
  params: {
    vaultName: credentialVaultName
    principalId: deployer().objectId
    principalType: deployerType
  }
  dependsOn: [credentialVaultAccess]
}

module deployerOnStorage 'modules/deployerOnStorage.bicep' = if (deployerRole == 'operator' || (deployerRole == 'uploader' && connectionsSource == 'blob')) {
  params: {
    storageAccountName: storageAccountName
    records: deployerRole == 'operator'
    principalId: deployer().objectId
    principalType: deployerType
  }
  dependsOn: [storage]
}

module network 'modules/network.bicep' = if (ownNetwork) {
  params: {
    name: name
    location: region
    tags: allTags
    addressPrefix: virtualNetworkAddressPrefix
    natGateway: withNatGateway
  }
}

var functionsSubnetId = ownNetwork ? network!.outputs.functionsSubnetId : existingFunctionsSubnetId
var endpointsSubnetId = ownNetwork ? network!.outputs.endpointsSubnetId : existingEndpointsSubnetId

module dnsZones 'modules/dnsZones.bicep' = if (privateNetworking && existingDnsZones == null) {
  params: {
    name: name
    tags: allTags
    // The id of a network is the part of a subnet's id before /subnets/.
    networkId: ownNetwork ? network!.outputs.id : split(existingFunctionsSubnetId, '/subnets/')[0]
  }
}

var vaultEndpoints = [
  { name: 'credential-vault', targetId: credentialVaultId, groupId: 'vault' }
  ...(oneVault ? [] : [{ name: 'token-vault', targetId: tokenVaultId, groupId: 'vault' }])
]
var storageEndpoints = [
  for service in ['blob', 'table']: {
    name: service
    targetId: resourceId('Microsoft.Storage/storageAccounts', storageAccountName)
    groupId: service
  }
]

// One after the other: in parallel, one finds the subnet in change and fails (ReferencedResourceNotProvisioned).
@batchSize(1)
module endpoints 'modules/privateEndpoint.bicep' = [
  for target in concat(vaultEndpoints, storageEndpoints): if (privateNetworking) {
    params: {
      name: 'pe-${target.name}-${suffix}'
      location: region
      tags: allTags
      subnetId: endpointsSubnetId
      targetId: target.targetId
      groupId: target.groupId
      zoneId: existingDnsZones != null ? existingDnsZones![target.groupId] : dnsZones!.outputs.zoneIds[target.groupId]
    }
    dependsOn: [credentialVault, tokenVault, storage]
  }
]

module functionApp 'modules/functionApp.bicep' = {
  params: {
    name: name
    location: region
    tags: allTags
    identityId: identity.id
    identityClientId: identity.properties.clientId
    storageAccountName: storageAccountName
    packageContainerName: storage.outputs.packageContainerName
    insightsConnectionString: logs.outputs.insightsConnectionString
    instanceMemoryMB: instanceMemoryMB
    alwaysReadyInstances: alwaysReadyInstances
    updateStrategy: updateStrategy
    subnetId: privateNetworking ? functionsSubnetId : ''
    credentialVaultUrl: credentialVaultUrl
    tokenVaultUrl: tokenVaultUrl
    connections: connectionsSetting
    rotationSchedule: rotationSchedule
    vaultWritesPer10Seconds: vaultWritesPer10Seconds
    alarmRecipients: length(alarmEmails)
    allowedSecrets: allowedSecrets
    allowedTokenHosts: allowedTokenHosts
    allowedVaults: allowedVaults
    entraAuthentication: entraAuthentication
    packageUri: packageAddress
  }
  dependsOn: [rotatorOnHost, rotatorOnCredentialVault, rotatorOnTokenVault, endpoints]
}

module actionGroup 'modules/actionGroup.bicep' = {
  params: {
    name: name
    tags: allTags
    emails: alarmEmails
  }
}

module alarms 'modules/alarms.bicep' = {
  params: {
    name: name
    location: region
    workspaceId: workspaceId
    actionGroupId: actionGroup.outputs.id
    deployedAt: deployedAt
    tags: allTags
  }
  dependsOn: [logs]
}

module availabilityTest 'modules/availabilityTest.bicep' = if (!empty(availabilityTestLocations)) {
  params: {
    name: name
    location: region
    tags: allTags
    insightsId: resourceId('Microsoft.Insights/components', insightsName)
    url: functionApp.outputs.url
    locations: availabilityTestLocations
  }
}

module workbook 'modules/workbook.bicep' = {
  params: {
    name: name
    location: region
    workspaceId: workspaceId
    tags: allTags
  }
  dependsOn: [logs]
}

var sharedVaults = [
  ...(empty(existingCredentialVaultId) ? [] : [credentialVaultName])
  ...(oneVault || empty(existingTokenVaultId) ? [] : [tokenVaultName])
]

@description('What to change, one sentence after the other; empty if there is nothing.')
output WARNINGS string = join(
  [
    ...(connectionsSource == 'inline' && empty(connections)
      ? [
          'No connections are set, so the rotator renews no token: if it had some, deploy again with all of its parameters.'
        ]
      : [])
    ...(empty(alarmEmails)
      ? ['No address for alarms is set, so no operator hears of a lost token: set alarmEmails and deploy again.']
      : [])
    ...map(
      sharedVaults,
      vault =>
        'The rotator can read and set every secret in the existing vault ${vault}, and so can operators in the credential vault; consumers can read every secret in the token vault. Use a vault of its own if it holds anything else.'
    )
  ],
  ' '
)

@description('The public address that token requests come from; empty without natGateway.')
output OUTBOUND_ADDRESS string = withNatGateway ? network!.outputs.outboundAddress : ''

@description('Name of the function app.')
output AZURE_FUNCTION_APP_NAME string = functionApp.outputs.name

@description('Address of the HTTP functions.')
output AZURE_FUNCTION_APP_URL string = functionApp.outputs.url

@description('Address of the vault for client credentials and refresh tokens.')
output CREDENTIAL_VAULT_URL string = credentialVaultUrl

@description('Address of the vault that consumers read.')
output TOKEN_VAULT_URL string = tokenVaultUrl

@description('Name of the storage account with the records, for the option --storage-account of the command line.')
output STORAGE_ACCOUNT_NAME string = storageAccountName

@description('inline or blob: where the rotator reads the connections.')
output CONNECTIONS_SOURCE string = connectionsSource

@description('Address for the upload of the connections file if CONNECTIONS_SOURCE is blob.')
output CONNECTIONS_BLOB_URL string = connectionsBlobUrl

@description('Hosts that the connections file may name, as the app reads them: the upload checks the file against them.')
output ALLOWED_TOKEN_HOSTS string = join(allowedTokenHosts, ' ')

@description('Vaults that the connections file may name in addition, as the app reads them: the upload checks the file against them.')
output ALLOWED_VAULTS string = join(allowedVaults, ' ')
