metadata name = 'Key Vault token rotator'
metadata description = 'The rotator in one resource group: function app, vaults, storage, logs, alarms and optional private networking. Nothing is deployed above the resource group.'

targetScope = 'resourceGroup'

import { connectionMap } from 'modules/connection.bicep'
import { entraAuthentication as entraAuthenticationType, principal, tagMap } from 'modules/types.bicep'

// Names, principals and region

@description('Optional. Name of this rotator; azd passes the name of its environment. It is part of every unique name, so another value creates another rotator. Default: rotator.')
@minLength(1)
@maxLength(64)
param environmentName string = 'rotator'

@description('Optional. Azure region. Default: the region of the resource group.')
param location string = resourceGroup().location

@description('Optional. Additional tags of all resources.')
param tags tagMap = {}

@description('Optional. Principals that put client secrets and first refresh tokens into the credential vault, repair records and upload the connections file. Without one, no principal can set the first secrets.')
param operators principal[] = []

@description('Optional. Principals that read access tokens. They get Key Vault Secrets User on the token vault and nothing else, so the tokens need their own vault.')
param consumers principal[] = []

@description('Optional. Mail addresses for the alarms. Default: alarms appear in the portal only.')
param alarmEmails string[] = []

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
param vaultWritesPer10Seconds int = 270

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

@description('Optional. true: no principal can purge deleted secrets of new vaults before the retention is over. You cannot switch it off again. Use false only for trials.')
param purgeProtection bool = true

@description('Optional. Days for which deleted secrets of new vaults can be recovered. Fixed when the vault is created.')
@minValue(7)
@maxValue(90)
param softDeleteRetentionInDays int = 90

@description('Optional. true for one deployment, to restore the deleted vaults of this rotator. Then deploy again without it.')
param recoverDeletedVaults bool = false

// Network

@description('Optional. true: virtual network, private endpoints for vaults and storage, and closed firewalls. false: their public addresses are open to every principal with a role, because the app has no fixed address.')
param privateNetworking bool = false

@description('Optional. Address range of the virtual network, /24 or larger.')
param virtualNetworkAddressPrefix string = '10.80.0.0/24'

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

@description('Optional. How a deployment replaces running instances. RollingUpdate (preview) lets a rotation end. Recreate kills it, and a token that is on its way to the vault is lost.')
@allowed(['RollingUpdate', 'Recreate'])
param updateStrategy string = 'RollingUpdate'

@description('Optional. Redundancy of the storage account. Use Standard_ZRS for production if the region has it.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param storageSku string = 'Standard_LRS'

@description('Optional. Days for which logs and audit logs can be queried.')
@minValue(30)
@maxValue(730)
param logRetentionInDays int = 30

var suffix = uniqueString(resourceGroup().id, environmentName)
var name = 'rotator-${suffix}'
var allTags = union(tags, { 'azd-env-name': environmentName })
// Without the network, the app has no fixed address, so the firewalls could not admit it.
var firewall = {
  closed: privateNetworking
  allowedIpRanges: privateNetworking || empty(allowedIpRanges)
    ? allowedIpRanges
    : fail('allowedIpRanges must be empty if privateNetworking is false: the app could not reach closed vaults.')
}

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
  location: location
  tags: allTags
}

module logs 'modules/logs.bicep' = {
  params: {
    name: name
    location: location
    tags: allTags
    retentionInDays: logRetentionInDays
  }
}

module storage 'modules/storage.bicep' = {
  params: {
    name: storageAccountName
    location: location
    tags: allTags
    skuName: storageSku
    firewall: firewall
    operators: operators
  }
}

module credentialVault 'modules/vault.bicep' = if (empty(existingCredentialVaultId)) {
  params: {
    name: credentialVaultName
    location: location
    tags: allTags
    firewall: firewall
    purgeProtection: purgeProtection
    softDeleteRetentionInDays: softDeleteRetentionInDays
    recover: recoverDeletedVaults
  }
}

module tokenVault 'modules/vault.bicep' = if (!oneVault && empty(existingTokenVaultId)) {
  params: {
    name: tokenVaultName
    location: location
    tags: allTags
    firewall: firewall
    purgeProtection: purgeProtection
    softDeleteRetentionInDays: softDeleteRetentionInDays
    recover: recoverDeletedVaults
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
    #disable-next-line what-if-short-circuiting
    principalId: identity.properties.principalId
  }
  dependsOn: [tokenVault]
}

module network 'modules/network.bicep' = if (privateNetworking) {
  params: {
    name: name
    location: location
    tags: allTags
    addressPrefix: virtualNetworkAddressPrefix
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

module endpoints 'modules/privateEndpoint.bicep' = [
  for target in concat(vaultEndpoints, storageEndpoints): if (privateNetworking) {
    params: {
      name: 'pe-${target.name}-${suffix}'
      location: location
      tags: allTags
      subnetId: network!.outputs.endpointsSubnetId
      targetId: target.targetId
      groupId: target.groupId
      zoneId: network!.outputs.zoneIds[target.groupId]
    }
    dependsOn: [credentialVault, tokenVault, storage]
  }
]

module functionApp 'modules/functionApp.bicep' = {
  params: {
    name: name
    location: location
    tags: allTags
    identityId: identity.id
    identityClientId: identity.properties.clientId
    storageAccountName: storageAccountName
    packageContainerName: storage.outputs.packageContainerName
    insightsConnectionString: logs.outputs.insightsConnectionString
    instanceMemoryMB: instanceMemoryMB
    alwaysReadyInstances: alwaysReadyInstances
    updateStrategy: updateStrategy
    subnetId: privateNetworking ? network!.outputs.functionsSubnetId : ''
    credentialVaultUrl: credentialVaultUrl
    tokenVaultUrl: tokenVaultUrl
    connections: connectionsSetting
    rotationSchedule: rotationSchedule
    vaultWritesPer10Seconds: vaultWritesPer10Seconds
    allowedSecrets: allowedSecrets
    allowedTokenHosts: allowedTokenHosts
    allowedVaults: allowedVaults
    entraAuthentication: entraAuthentication
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
    location: location
    workspaceId: workspaceId
    actionGroupId: actionGroup.outputs.id
    tags: allTags
  }
  dependsOn: [logs]
}

module workbook 'modules/workbook.bicep' = {
  params: {
    name: name
    location: location
    workspaceId: workspaceId
    tags: allTags
  }
  dependsOn: [logs]
}

@description('Name of the function app.')
output AZURE_FUNCTION_APP_NAME string = functionApp.outputs.name

@description('Address of the HTTP functions.')
output AZURE_FUNCTION_APP_URL string = functionApp.outputs.url

@description('Address of the vault for client credentials and refresh tokens.')
output CREDENTIAL_VAULT_URL string = credentialVaultUrl

@description('Address of the vault that consumers read.')
output TOKEN_VAULT_URL string = tokenVaultUrl

@description('Address of the blob service with the records.')
output STORAGE_BLOB_URL string = storageBlobUrl

@description('inline or blob: where the rotator reads the connections.')
output CONNECTIONS_SOURCE string = connectionsSource

@description('Address for the upload of the connections file if CONNECTIONS_SOURCE is blob.')
output CONNECTIONS_BLOB_URL string = connectionsBlobUrl
