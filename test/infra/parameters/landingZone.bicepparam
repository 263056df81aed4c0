using '../../../infra/main.bicep'

param environmentName = 'landing'
param location = 'swedencentral'
param deployerRole = 'operator'

param existingCredentialVaultId = '/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-credentials/providers/Microsoft.KeyVault/vaults/contoso-credentials'
param existingTokenVaultId = '/subscriptions/00000000-0000-4000-8000-000000000009/resourceGroups/rg-tokens/providers/Microsoft.KeyVault/vaults/contoso-tokens'
param existingVaultRoleId = '/providers/Microsoft.Authorization/roleDefinitions/50000000-0000-4000-8000-000000000001'

param privateNetworking = true
param existingFunctionsSubnetId = '/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-spoke/providers/Microsoft.Network/virtualNetworks/vnet-spoke/subnets/rotator'
param existingEndpointsSubnetId = '/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-spoke/providers/Microsoft.Network/virtualNetworks/vnet-spoke/subnets/endpoints'
param existingDnsZones = {
  vault: '/subscriptions/00000000-0000-4000-8000-000000000008/resourceGroups/rg-hub/providers/Microsoft.Network/privateDnsZones/privatelink.vaultcore.azure.net'
  blob: '/subscriptions/00000000-0000-4000-8000-000000000008/resourceGroups/rg-hub/providers/Microsoft.Network/privateDnsZones/privatelink.blob.core.windows.net'
  table: '/subscriptions/00000000-0000-4000-8000-000000000008/resourceGroups/rg-hub/providers/Microsoft.Network/privateDnsZones/privatelink.table.core.windows.net'
}

param operators = [
  { principalId: '10000000-0000-4000-8000-000000000001', principalType: 'User' }
]
param consumers = [
  { principalId: '20000000-0000-4000-8000-000000000001' }
]

param connections = {
  'dynamics-prod': {
    provider: 'dynamics365'
    tenant: 'contoso.onmicrosoft.com'
    serviceUrl: 'https://contoso.crm.dynamics.com'
    refreshTokenGrace: 'unlimited'
    secrets: { clientSecret: ['dynamics-secret-new', 'dynamics-secret-old'] }
    parameters: { audience: 'https://api.example.com' }
  }
  okta: {
    provider: 'okta'
    tokenUri: 'https://contoso.okta.com/oauth2/default/v1/token'
    renewBefore: 600
    refreshTokenGrace: 30
    enabled: false
  }
}
