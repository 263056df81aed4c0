metadata description = 'Virtual network: a subnet for the function app, one for private endpoints, and optionally one fixed address for outgoing requests.'

import { tagMap } from 'types.bicep'

@description('Required. Last part of the names.')
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags.')
param tags tagMap

@description('Required. Address range of the network, /24 or larger.')
param addressPrefix string

@description('Required. true: outgoing requests come from one fixed public address.')
param natGateway bool

resource outboundAddress 'Microsoft.Network/publicIPAddresses@2025-05-01' = if (natGateway) {
  name: 'pip-${name}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIPAllocationMethod: 'Static' }
}

resource gateway 'Microsoft.Network/natGateways@2025-05-01' = if (natGateway) {
  name: 'nat-${name}'
  location: location
  tags: tags
  sku: { name: 'Standard' }
  properties: { publicIpAddresses: [{ id: outboundAddress.id }] }
}

resource network 'Microsoft.Network/virtualNetworks@2025-05-01' = {
  name: 'vnet-${name}'
  location: location
  tags: tags
  properties: {
    addressSpace: { addressPrefixes: [addressPrefix] }
    subnets: [
      {
        name: 'functions'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 0)
          // Explicit, because newer API versions have another default. The app must reach token endpoints.
          defaultOutboundAccess: !natGateway
          natGateway: natGateway ? { id: gateway.id } : null
          delegations: [
            {
              name: 'flex-consumption'
              properties: { serviceName: 'Microsoft.App/environments' }
            }
          ]
        }
      }
      {
        name: 'endpoints'
        properties: {
          addressPrefix: cidrSubnet(addressPrefix, 26, 1)
          defaultOutboundAccess: false
        }
      }
    ]
  }

  resource functions 'subnets' existing = {
    name: 'functions'
  }

  resource endpoints 'subnets' existing = {
    name: 'endpoints'
  }
}

@description('Resource id of the subnet of the function app.')
output functionsSubnetId string = network::functions.id

@description('Resource id of the subnet of the private endpoints.')
output endpointsSubnetId string = network::endpoints.id

@description('Resource id of the network.')
output id string = network.id

@description('The public address of outgoing requests; empty without a NAT gateway.')
output outboundAddress string = natGateway ? outboundAddress!.properties.ipAddress : ''
