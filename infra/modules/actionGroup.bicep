metadata description = 'Who is told when an alarm goes off.'

import { tagMap } from 'types.bicep'

@description('Required. Last part of the name.')
param name string

@description('Required. Tags.')
param tags tagMap

@description('Required. Mail addresses; empty: alarms appear in the portal only.')
param emails string[]

resource group 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-${name}'
  location: 'global'
  tags: tags
  properties: {
    enabled: true
    groupShortName: 'rotator'
    emailReceivers: [
      for email in emails: {
        name: email
        emailAddress: email
        useCommonAlertSchema: true
      }
    ]
  }
}

@description('Resource id of the action group.')
output id string = group.id
