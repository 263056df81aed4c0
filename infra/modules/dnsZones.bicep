metadata description = 'The private DNS zones of vaults, blobs and tables, and their link to the network of the function app.'

import { dnsZoneIds, tagMap } from 'types.bicep'

@description('Required. Name of the links.')
param name string

@description('Required. Tags.')
param tags tagMap

@description('Required. Resource id of the virtual network that resolves the names.')
param networkId string

var zoneNames = {
  vault: 'privatelink${replace(environment().suffixes.keyvaultDns, '.vault.', '.vaultcore.')}'
  blob: 'privatelink.blob.${environment().suffixes.storage}'
  table: 'privatelink.table.${environment().suffixes.storage}'
}

resource zones 'Microsoft.Network/privateDnsZones@2024-06-01' = [
  for zone in items(zoneNames): {
    name: zone.value
    location: 'global'
    tags: tags
  }
]

resource links 'Microsoft.Network/privateDnsZones/virtualNetworkLinks@2024-06-01' = [
  for (zone, index) in items(zoneNames): {
    parent: zones[index]
    name: 'vnet-${name}'
    location: 'global'
    tags: tags
    properties: {
      registrationEnabled: false
      // A name that is not in the zone (a vault that one connection names) resolves to its public address.
      resolutionPolicy: 'NxDomainRedirect'
      virtualNetwork: { id: networkId }
    }
  }
]

@description('Resource ids of the private DNS zones.')
output zoneIds dnsZoneIds = {
  vault: resourceId('Microsoft.Network/privateDnsZones', zoneNames.vault)
  blob: resourceId('Microsoft.Network/privateDnsZones', zoneNames.blob)
  table: resourceId('Microsoft.Network/privateDnsZones', zoneNames.table)
}
