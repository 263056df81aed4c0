metadata description = 'The types that the modules share.'

@export()
@description('Somebody or something in Entra ID that is given rights.')
@sealed()
type principal = {
  @description('Required. Object id; for an app registration the one of its service principal (enterprise application), not the client id.')
  @minLength(36)
  @maxLength(36)
  principalId: string

  @description('Optional. What the object is. Default: ServicePrincipal, which managed identities are too.')
  principalType: ('ServicePrincipal' | 'User' | 'Group')?
}

@export()
@description('How the HTTP functions know their callers by Entra ID, beside the function key.')
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
@description('Who reaches a vault or the storage account over its public address.')
@sealed()
type firewall = {
  @description('Required. true: private endpoints and the allowed addresses only; false: every address, with the right role.')
  closed: bool

  @description('Required. Public IPv4 addresses or CIDR ranges (at most /30) that are let in where it is closed.')
  allowedIpRanges: string[]
}
