metadata description = 'Log Analytics workspace and Application Insights, both without local authentication.'

import { tagMap } from 'types.bicep'

@description('Required. Last part of the names.')
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags.')
param tags tagMap

@description('Required. Days for which logs can be queried.')
@minValue(30)
@maxValue(730)
param retentionInDays int

resource workspace 'Microsoft.OperationalInsights/workspaces@2025-07-01' = {
  name: 'log-${name}'
  location: location
  tags: tags
  properties: {
    sku: { name: 'PerGB2018' }
    retentionInDays: retentionInDays
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: 'appi-${name}'
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    WorkspaceResourceId: workspace.id
    IngestionMode: 'LogAnalytics'
    DisableLocalAuth: true
  }
}

@description('Connection string for telemetry. It is not a secret: Application Insights accepts nothing without a role.')
output insightsConnectionString string = insights.properties.ConnectionString
