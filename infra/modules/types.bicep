metadata description = 'The types that the modules share.'

@export()
@description('A user, group or service principal in Entra ID that gets rights.')
@sealed()
type principal = {
  @description('Required. Object id; for an app registration, the object id of its service principal (enterprise application), not the client id.')
  @minLength(36)
  @maxLength(36)
  principalId: string

  @description('Optional. Type of the object. Default: ServicePrincipal, also for managed identities.')
  principalType: ('ServicePrincipal' | 'User' | 'Group')?
}

@export()
@description('How the HTTP functions identify their callers with Entra ID, in addition to the function key.')
@sealed()
type entraAuthentication = {
  @description('Required. Client id of an app registration in this tenant whose tokens are of version 2 (requestedAccessTokenVersion 2). It needs no secret.')
  @minLength(36)
  @maxLength(36)
  clientId: string

  @description('Required. The app role that a caller must have; the functions check it.')
  @minLength(1)
  @maxLength(120)
  appRole: string
}

@export()
@description('Tags by name.')
type tagMap = {
  *: string
}

@export()
@description('Access to a vault or the storage account over its public address.')
@sealed()
type firewall = {
  @description('Required. true: only private endpoints and the allowed addresses. false: every address, with the right role.')
  closed: bool

  @description('Required. Public IPv4 addresses or CIDR ranges (at most /30) that are admitted if it is closed.')
  allowedIpRanges: string[]
}

@export()
@description('Resource ids of private DNS zones.')
@sealed()
type dnsZoneIds = {
  @description('Required. The zone privatelink.vaultcore.azure.net.')
  vault: string

  @description('Required. The zone privatelink.blob.core.windows.net.')
  blob: string

  @description('Required. The zone privatelink.table.core.windows.net.')
  table: string
}
