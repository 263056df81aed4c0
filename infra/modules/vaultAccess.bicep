metadata description = 'What people and consumers may do on one vault, new or existing, and its audit log. Deployed to the resource group of the vault.'

import { principal } from 'types.bicep'

@description('Required. Name of the vault.')
@minLength(3)
@maxLength(24)
param vaultName string

@description('Required. Principals that read all secrets of the vault (Key Vault Secrets User).')
param readers principal[]

@description('Required. Principals that read and set all secrets of the vault (Key Vault Secrets Officer).')
param officers principal[]

@description('Required. Resource id of the Log Analytics workspace for the audit log.')
param workspaceId string

var secretsOfficer = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  'b86a8fe4-44ce-4948-aee5-eccb2c155cd7'
)
var secretsUser = subscriptionResourceId(
  'Microsoft.Authorization/roleDefinitions',
  '4633458b-17de-408a-b874-0445c86b69e6'
)

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' existing = {
  name: vaultName
}

resource officerRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for officer in officers: {
    name: guid(vault.id, officer.principalId, secretsOfficer)
    scope: vault
    properties: {
      principalId: officer.principalId
      principalType: officer.?principalType ?? 'ServicePrincipal'
      roleDefinitionId: secretsOfficer
    }
  }
]

resource readerRoles 'Microsoft.Authorization/roleAssignments@2022-04-01' = [
  for reader in readers: {
    name: guid(vault.id, reader.principalId, secretsUser)
    scope: vault
    properties: {
      principalId: reader.principalId
      principalType: reader.?principalType ?? 'ServicePrincipal'
      roleDefinitionId: secretsUser
    }
  }
]

// The only version of this type that has category groups.
#disable-next-line use-recent-api-versions
resource auditLog 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  // One name for each workspace: a second rotator on the same vault must not redirect the log of the first one.
  name: 'token-rotator-${uniqueString(workspaceId)}'
  scope: vault
  properties: {
    workspaceId: workspaceId
    logAnalyticsDestinationType: 'Dedicated'
    logs: [{ categoryGroup: 'audit', enabled: true }]
  }
}
