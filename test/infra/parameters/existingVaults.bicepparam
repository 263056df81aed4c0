using '../../../infra/main.bicep'

param environmentName = 'existing'

param existingCredentialVaultId = '/subscriptions/00000000-0000-4000-8000-000000000001/resourceGroups/rg-credentials/providers/Microsoft.KeyVault/vaults/contoso-credentials'
param existingTokenVaultId = '/subscriptions/00000000-0000-4000-8000-000000000009/resourceGroups/rg-tokens/providers/Microsoft.KeyVault/vaults/contoso-tokens'
param rotatorVaultRole = 'secretsOfficer'

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
