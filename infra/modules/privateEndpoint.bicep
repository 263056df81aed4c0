metadata description = 'One private endpoint and its entry in the private DNS zone.'

import { tagMap } from 'types.bicep'

@description('Required. Name of the endpoint.')
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags.')
param tags tagMap

@description('Required. Resource id of the subnet.')
param subnetId string

@description('Required. Resource id of the target of the endpoint.')
param targetId string

@description('Required. The part of the target to connect to.')
@allowed(['vault', 'blob', 'table'])
param groupId string

@description('Required. Resource id of the private DNS zone.')
param zoneId string

resource endpoint 'Microsoft.Network/privateEndpoints@2025-05-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    subnet: { id: subnetId }
    customNetworkInterfaceName: '${name}-nic'
    privateLinkServiceConnections: [
      {
        name: groupId
        properties: {
          privateLinkServiceId: targetId
          groupIds: [groupId]
        }
      }
    ]
  }
}

resource zoneGroup 'Microsoft.Network/privateEndpoints/privateDnsZoneGroups@2025-05-01' = {
  parent: endpoint
  name: 'default'
  properties: {
    privateDnsZoneConfigs: [
      {
        name: groupId
        properties: { privateDnsZoneId: zoneId }
      }
    ]
  }
}
