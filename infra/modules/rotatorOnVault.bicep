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

@description('Required. Id of a custom role that exists already and replaces role; empty: there is none.')
param existingRoleId string

@description('Required. true: the rotator may read keys and certificates of the vault, without their private parts, and have the vault sign with them.')
param signs bool

@description('Required. Name of the rotator, unique in the tenant.')
param rotatorName string

// Key Vault Crypto User, and Key Vault Certificate User.
var signerRoles = ['12338af0-0e69-4776-bea7-57ae8d297424', 'db79e9a7-68ee-4b58-9aeb-b90e7c24fcba']
var signerActions = [
  'Microsoft.KeyVault/vaults/keys/read'
  'Microsoft.KeyVault/vaults/keys/sign/action'
  'Microsoft.KeyVault/vaults/certificates/read'
]

var assigned = empty(existingRoleId) ? role : 'existing'
// A custom role has the same GUID in every subscription that it can be assigned in. The other one is Key Vault Secrets Officer.
var existingRole = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  assigned == 'existing' ? last(split(existingRoleId, '/')) : 'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
)

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource customRole 'Microsoft.Authorization/roleDefinitions@2022-04-01' = if (assigned == 'custom') {
  // A role for each rotator: the rights of two on one vault may differ, and the last deployment would decide for both.
  name: guid(vault.id, rotatorName, 'token rotator')
  properties: {
    // Names of roles are unique in the tenant. A vault that moves gets another id and so another role, but keeps its name.
    roleName: 'Token rotator ${rotatorName} on ${vaultName}, ${uniqueString(vault.id)}'
    description: 'Reads and sets secrets, but cannot delete or purge them.'
    type: 'CustomRole'
    assignableScopes: [resourceGroup().id]
    permissions: [
      {
        actions: []
        notActions: []
        dataActions: [
          ...(signs ? signerActions : [])
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

resource byCustomRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (assigned == 'custom') {
  name: guid(vault.id, principalId, customRole.id)
  scope: vault
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    // Azure stores it in this form: without the resource group.
    roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', customRole.name)
  }
}

resource byExistingRole 'Microsoft.Authorization/roleAssignments@2022-04-01' = if (assigned != 'custom') {
  name: guid(vault.id, principalId, existingRole)
  scope: vault
  properties: {
    principalId: principalId
    principalType: 'ServicePrincipal'
    roleDefinitionId: existingRole
  }
}

// The custom role has these rights itself, and an existing role is made with those that it needs.
resource bySignerRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for signerRole in (signs && assigned == 'secretsOfficer' ? signerRoles : []): {
    name: guid(vault.id, principalId, signerRole)
    scope: vault
    properties: {
      principalId: principalId
      principalType: 'ServicePrincipal'
      roleDefinitionId: subscriptionResourceId('Microsoft.Authorization/roleDefinitions', signerRole)
    }
  }
]
