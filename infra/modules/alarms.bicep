metadata description = 'Placeholder of the alarms.'

import { tagMap } from 'types.bicep'

@description('Required. Prefix of the names.')
#disable-next-line no-unused-params
param name string

@description('Required. Azure region.')
#disable-next-line no-unused-params
param location string

@description('Required. Resource id of the Log Analytics workspace with the logs.')
#disable-next-line no-unused-params
param workspaceId string

@description('Required. Resource id of the action group that is told.')
#disable-next-line no-unused-params
param actionGroupId string

@description('Required. Tags.')
#disable-next-line no-unused-params
param tags tagMap
