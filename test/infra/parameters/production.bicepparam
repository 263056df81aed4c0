using '../../../infra/main.bicep'

param environmentName = 'production'
param tags = { owner: 'integration' }
param deployedAt = '2026-01-31T12:00:00Z'

param operators = [
  { principalId: '10000000-0000-4000-8000-000000000001', principalType: 'Group' }
]
param consumers = [
  { principalId: '20000000-0000-4000-8000-000000000001' }
  { principalId: '20000000-0000-4000-8000-000000000002', principalType: 'Group' }
]
param alarmEmails = ['on-call@example.com']
param availabilityTestLocations = ['emea-nl-ams-azr', 'emea-gb-db3-azr']

param connectionsSource = 'blob'
param deployerRole = 'uploader'

param privateNetworking = true
param natGateway = true
param allowedIpRanges = ['203.0.113.7', '198.51.100.0/28']
param entraAuthentication = {
  clientId: '30000000-0000-4000-8000-000000000001'
  appRole: 'Rotator.Operate'
}

param instanceMemoryMB = 2048
param alwaysReadyInstances = 1
param storageSku = 'Standard_ZRS'
param logRetentionInDays = 90
