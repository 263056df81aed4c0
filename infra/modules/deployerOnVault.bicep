metadata description = 'Gives the principal that deploys the rights of an operator on the credential vault. Deployed to the resource group of the vault.'

@description('Required. Name of the vault.')
@minLength(3)
@maxLength(24)
param vaultName string

@description('Required. Object id of the principal that deploys.')
param principalId string

@description('Required. Type of that principal.')
@allowed(['ServicePrincipal', 'User'])
param principalType string

var secretsOfficer = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
)

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource officer 'Microsoft.Authorization/roleAssignments@2022-04-01' = {
  name: guid(vault.id, principalId, secretsOfficer)
  scope: vault
  properties: {
    principalId: principalId
    principalType: principalType
    roleDefinitionId: secretsOfficer
  }
}
