metadata description = 'A new key vault: rights by role assignments, soft delete, firewall. No secret is declared here: a redeployment would overwrite a rotated token.'

import { firewall as firewallType, tagMap } from 'types.bicep'

@description('Required. Name of the vault, unique in the cloud.')
@minLength(3)
@maxLength(24)
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags.')
param tags tagMap

@description('Required. Access to the vault over its public address.')
param firewall firewallType

@description('Required. true: no principal can purge deleted secrets or the vault before the retention is over. You cannot switch it off again.')
param purgeProtection bool

@description('Required. Days for which deleted secrets, and a deleted vault, can be recovered. Fixed at creation.')
@minValue(7)
@maxValue(90)
param softDeleteRetentionInDays int

resource vault 'Microsoft.KeyVault/vaults@2026-02-01' = {
  name: name
  location: location
  tags: tags
  properties: {
    tenantId: subscription().tenantId
    sku: { family: 'A', name: 'standard' }
    enableRbacAuthorization: true
    enableSoftDelete: true
    softDeleteRetentionInDays: softDeleteRetentionInDays
    // Key Vault refuses false; null leaves it off.
    enablePurgeProtection: purgeProtection ? true : null
    enabledForDeployment: false
    enabledForDiskEncryption: false
    enabledForTemplateDeployment: false
    publicNetworkAccess: firewall.closed && empty(firewall.allowedIpRanges) ? 'Disabled' : 'Enabled'
    networkAcls: {
      // The trusted services of the bypass do not include Functions, and nothing else needs one.
      bypass: 'None'
      defaultAction: firewall.closed ? 'Deny' : 'Allow'
      ipRules: [for range in firewall.closed ? firewall.allowedIpRanges : []: { value: range }]
    }
  }
}
