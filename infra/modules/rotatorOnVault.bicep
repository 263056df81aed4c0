metadata description = 'What the rotator may do on one vault, new or existing. Deployed to the resource group of the vault.'

@description('Required. Name of the vault.')
@minLength(3)
@maxLength(24)
param vaultName string

@description('Required. Object id of the identity of the rotator.')
param principalId string

@description('Required. custom: a role of four rights, created here. secretsOfficer: the built-in role, which may also delete and purge.')
@allowed(['custom', 'secretsOfficer'])
param role string

var secretsOfficer = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
)

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource customRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (role == 'custom') {
  name: guid(vault.id, 'token rotator')
  properties: {
    // Names of roles are unique in the tenant, and names of vaults in the cloud.
    roleName: 'Token rotator on ${vaultName}'
    description: 'Reads and sets secrets, but cannot delete or purge them.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: []
        notActions: []
        dataActions: [
          'Microsoft.KeyVault/vaults/secrets/getSecret/action'
          'Microsoft.KeyVault/vaults/secrets/setSecret/action'
          'Microsoft.KeyVault/vaults/secrets/readMetadata/action'
          'Microsoft.KeyVault/vaults/secrets/update/action'
        ]
        notDataActions: []
      }
    ]
  }
}

resource byCustomRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (role == 'custom') {
  name: guid(vault.id, principalId, customRole.id)
  scope: vault
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    // Azure stores it in this form: without the resource group.
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', customRole.name)
  }
}

resource asOfficer 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (role == 'secretsOfficer') {
  name: guid(vault.id, principalId, secretsOfficer)
  scope: vault
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: secretsOfficer
  }
}
