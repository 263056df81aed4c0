metadata description = 'One entry of the connections, as connections.schema.json describes it; a test compares the two.'

@export()
@description('The connections by name (1 to 113 of 0-9, A-Z, a-z and -). Default names of secrets begin with the name: NAME-client-id, NAME-client-secret, NAME-refresh-token, NAME-access-token.')
type connectionMap = {
  *: connection
}

type providerName =
  | 'generic'
  | 'entra'
  | 'dynamics365'
  | 'atlassian'
  | 'auth0'
  | 'docusign'
  | 'google'
  | 'hubspot'
  | 'intuit'
  | 'okta'
  | 'salesforce'
  | 'xero'
  | 'zoho'

@sealed()
type connection = {
  @description('The kind of provider, which brings the defaults of the other settings. Default: generic.')
  provider: providerName?

  @description('The https address of the token endpoint. Required where the provider does not know it.')
  @minLength(1)
  tokenUri: string?

  @description('The directory (tenant) id or a verified domain name. Only for providers with tenants.')
  @minLength(1)
  tenant: string?

  @description('The https address of the service that the token is for, as https://ORG.crm.dynamics.com.')
  @minLength(1)
  serviceUrl: string?

  @description('The client id itself. Leave out to read it from the secret that secrets.clientId names.')
  @minLength(1)
  clientId: string?

  @description('The way in which the client proves its identity. Default: what the provider prefers.')
  clientAuthentication: ('client_secret_basic' | 'client_secret_post')?

  @description('The scopes to ask for, separated by spaces. Default: what the provider profile says, or none.')
  @minLength(1)
  scope: string?

  @description('The resource parameter of the grant. Most providers want none.')
  @minLength(1)
  resource: string?

  @description('The further parameters of the grant.')
  parameters: { *: string }?

  @description('The names of the secrets; the secrets themselves stand in Key Vault only.')
  secrets: secretNames?

  @description('The addresses of the vaults of this connection. Seldom needed; the identity of the rotator needs access to them.')
  vaults: vaultAddresses?

  @description('The number of seconds before expiry at which the access token is renewed. Default: when two thirds of its lifetime are gone.')
  @minValue(1)
  @maxValue(31536000)
  renewBefore: int?

  // Bicep has no union of a number and a text.
  @description('The number of seconds for which a refresh token stays usable after its first use, or \'unlimited\'. 0: single use. Too high a value may make the provider revoke the connection. Default: what the provider documents.')
  #disable-next-line no-explicit-any
  refreshTokenGrace: any?

  @description('The lifetime of an access token in seconds, where the answer does not say it. Default: what the provider documents, else 3600.')
  @minValue(1)
  @maxValue(31536000)
  accessTokenLifetime: int?

  @description('true where the token endpoint is in a private network (10/8, 172.16/12, 192.168/16, fc00::/7), as on-premises AD FS. Default: false.')
  allowPrivateNetwork: bool?

  @description('The further secrets to publish with each access token.')
  publish: publications?

  @description('true where an existing secret that somebody else made may be overwritten with the access token. Default: false.')
  adopt: bool?

  @description('false to pause the connection. Default: true.')
  enabled: bool?
}

@sealed()
type secretNames = {
  @description('The name of the secret with the client id. Default: NAME-client-id.')
  @minLength(1)
  @maxLength(127)
  clientId: string?

  // Bicep has no union of a text and a list.
  @description('The name of the secret with the client secret, or a list of names, tried in order. Default: NAME-client-secret.')
  #disable-next-line no-explicit-any
  clientSecret: any?

  @description('The name of the secret with the refresh token. Default: NAME-refresh-token.')
  @minLength(1)
  @maxLength(127)
  refreshToken: string?

  @description('The name of the secret that consumers read. Default: NAME-access-token.')
  @minLength(1)
  @maxLength(127)
  accessToken: string?

  @description('The name of the secret with the connection string, where one is published. Default: NAME-connection-string.')
  @minLength(1)
  @maxLength(127)
  connectionString: string?
}

@sealed()
type publications = {
  // Bicep has no union of a text and an object.
  @description('The string that drivers connect with: \'accessToken\' or an object of syntax (odbc, jdbc or raw) and template, both for the token vault, or \'refreshToken\', for the credential vault.')
  #disable-next-line no-explicit-any
  connectionString: any?
}

@sealed()
type vaultAddresses = {
  @description('The https address of the vault with client credentials and refresh token. Default: CREDENTIAL_VAULT_URL.')
  @minLength(1)
  credential: string?

  @description('The https address of the vault with the access token. Default: TOKEN_VAULT_URL.')
  @minLength(1)
  token: string?
}
