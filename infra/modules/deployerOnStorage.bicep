metadata description = 'Gives the principal that deploys the right to upload the connections file and, to an operator, the rights on the records.'

@description('Required. Name of the storage account.')
param storageAccountName string

@description('Required. true: the records as well as the connections file.')
param records bool

@description('Required. Object id of the principal that deploys.')
param principalId string

@description('Required. Type of that principal.')
@allowed(['ServicePrincipal', 'User'])
param principalType string

var blobDataContributor = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'ba92f5b4-2d11-453d-a403-e96b0029c9fe'
)

resource account 'Microsoft.Storage/storageAccounts@2025-08-01' existing = {
  name: storageAccountName

  resource blobs 'blobServices' existing = {
    name: 'default'

    // The names are those of storage.bicep.
    resource config 'containers' existing = {
      name: 'config'
    }

    resource records 'containers' existing = {
      name: 'token-rotator-records'
    }
  }
}

resource onConfig 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(account::blobs::config.id, principalId, blobDataContributor)
  scope: account::blobs::config
  properties: {
    principalId: principalId
    principalType: principalType
    roleDefinitionId: blobDataContributor
  }
}

resource onRecords 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (records) {
  name: guid(account::blobs::records.id, principalId, blobDataContributor)
  scope: account::blobs::records
  properties: {
    principalId: principalId
    principalType: principalType
    roleDefinitionId: blobDataContributor
  }
}
