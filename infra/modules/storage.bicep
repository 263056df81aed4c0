metadata description = 'Storage account for the records, the deployment package, the Functions host and the connections file. Rights by role only: account keys are switched off.'

import { firewall as firewallType, principal, tagMap } from 'types.bicep'

@description('Required. Name of the account, unique in the cloud.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags.')
param tags tagMap

@description('Required. Redundancy of the account.')
@allowed(['Standard_LRS', 'Standard_ZRS', 'Standard_GRS', 'Standard_GZRS'])
param skuName string

@description('Required. Access to the account over its public address.')
param firewall firewallType

@description('Required. Principals that repair records and upload the connections file.')
param operators principal[]

// The name is RECORD_CONTAINER in lib/azure/storageClient.ts.
var recordContainerName = 'token-rotator-records'
var configContainerName = 'config'
var packageContainerName = 'deployment-package'

var blobDataContributor = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
)

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' = {
  name: name
  location: location
  tags: tags
  kind: 'StorageV2'
  sku: { name: skuName }
  properties: {
    accessTier: 'Hot'
    allowBlobPublicAccess: false
    allowCrossTenantReplication: false
    allowSharedKeyAccess: false
    defaultToOAuthAuthentication: true
    minimumTlsVersion: 'TLS1_2'
    supportsHttpsTrafficOnly: true
    publicNetworkAccess: firewall.closed && empty(firewall.allowedIpRanges) ? 'Disabled' : 'Enabled'
    networkAcls: {
      bypass: 'None'
      defaultAction: firewall.closed ? 'Deny' : 'Allow'
      ipRules: [for range in firewall.closed ? firewall.allowedIpRanges : []: { value: range, action: 'Allow' }]
    }
  }
}

resource blobService 'Microsoft.Storage/storageAccounts/blobServices@2025-08-01' = {
  parent: account
  name: 'default'
  properties: {
    // No soft delete of blobs: records and the state of the timer are overwritten all day, and each write would leave a copy.
    containerDeleteRetentionPolicy: { enabled: true, days: 7 }
  }
}

resource records 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' = {
  parent: blobService
  name: recordContainerName
  properties: { publicAccess: 'None' }
}

resource config 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' = {
  parent: blobService
  name: configContainerName
  properties: { publicAccess: 'None' }
}

resource package 'Microsoft.Storage/storageAccounts/blobServices/containers@2025-08-01' = {
  parent: blobService
  name: packageContainerName
  properties: { publicAccess: 'None' }
}

resource operatorRecords 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for operator in operators: {
    name: guid(records.id, operator.principalId, blobDataContributor)
    scope: records
    properties: {
      principalId: operator.principalId
      principalType: operator.?principalType ?? 'ServicePrincipal'
      roleDefinitionId: blobDataContributor
    }
  }
]

resource operatorConfig 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for operator in operators: {
    name: guid(config.id, operator.principalId, blobDataContributor)
    scope: config
    properties: {
      principalId: operator.principalId
      principalType: operator.?principalType ?? 'ServicePrincipal'
      roleDefinitionId: blobDataContributor
    }
  }
]

@description('Name of the container of the deployment package.')
output packageContainerName string = package.name
