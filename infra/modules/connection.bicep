metadata description = 'One entry of the connections. Written by scripts/writeSchema.ts from lib/config/connectionSchema.ts.'

@export()
@description('The connections by name. Default names of secrets begin with the name: NAME-client-id, NAME-client-secret, NAME-refresh-token, NAME-access-token, NAME-connection-string.')
type connectionMap = {
  *: connection
}

type provider =
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
type secrets = {
  @description('The name of the secret with the client id. Default: NAME-client-id. Leave out with `clientId`.')
  @minLength(1)
  @maxLength(127)
  clientId: string?

  // Bicep has no union of different types.
  @description('The name of the secret with the client secret, or a list of names. Several are tried in order while a client secret is being replaced. Default: NAME-client-secret.')
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

  @description('The name of the secret with the connection string, where `publish.connectionString` asks for one. Default: NAME-connection-string.')
  @minLength(1)
  @maxLength(127)
  connectionString: string?
}

@sealed()
type publish = {
  // Bicep has no union of different types.
  @description('The string that drivers connect with, as "accessToken" or an object of syntax and template, both for the token vault, or "refreshToken". "accessToken" and "refreshToken" are those of the DataDirect ODBC driver for Dynamics 365; "refreshToken" holds the client secret and the refresh token, is written to the credential vault, and wants refresh tokens that stay usable.')
  #disable-next-line no-explicit-any
  connectionString: any?
}

@sealed()
type vaults = {
  @description('The https address of the vault with client credentials and refresh token. Default: CREDENTIAL_VAULT_URL. The rotator\'s identity needs access to it.')
  @minLength(1)
  credential: string?

  @description('The https address of the vault with the access token. Default: TOKEN_VAULT_URL. The rotator\'s identity needs access to it.')
  @minLength(1)
  token: string?
}

@sealed()
type connection = {
  @description('The kind of provider, which brings the defaults of the other settings (generic, entra, dynamics365, atlassian, auth0, docusign, google, hubspot, intuit, okta, salesforce, xero, zoho). Default: generic.')
  provider: provider?

  @description('The https address of the token endpoint, 2,000 characters at most. Required where the provider does not know it. A leading "POST " is removed.')
  @minLength(1)
  tokenUri: string?

  @description('true where the token endpoint is in a private network (10/8, 172.16/12, 192.168/16, fc00::/7), else false. Loopback, link-local and metadata addresses are refused in any case. Default: false.')
  allowPrivateNetwork: bool?

  @description('The directory (tenant) id or a verified domain name. Only for providers with tenants.')
  @minLength(1)
  tenant: string?

  @description('The https address of the service that the token is for, as https://ORG.crm.dynamics.com. Dynamics 365 takes the scope from it.')
  @minLength(1)
  serviceUrl: string?

  @description('The client id itself. Leave out to read it from the secret that `secrets.clientId` names.')
  @minLength(1)
  clientId: string?

  @description('The way in which the client proves its identity (client_secret_basic, client_secret_post). Default: what the provider prefers.')
  clientAuthentication: ('client_secret_basic' | 'client_secret_post')?

  @description('The scopes to ask for, separated by spaces. Default: what the provider profile says, or none.')
  @minLength(1)
  scope: string?

  @description('The `resource` parameter of the grant. Most providers want none.')
  @minLength(1)
  resource: string?

  @description('The further parameters of the grant, as an object of texts. The protocol\'s own (grant_type, refresh_token, client_id, client_secret, client_assertion...) are refused.')
  parameters: { *: string }?

  @description('The names of the secrets, as an object. The secrets themselves stand in Key Vault only.')
  secrets: secrets?

  @description('The further secrets to publish with each access token, as an object.')
  publish: publish?

  @description('The addresses of this connection\'s vaults, as an object. Seldom needed.')
  vaults: vaults?

  @description('The number of seconds before expiry at which the access token is renewed, above 0. Default: when two thirds of its lifetime are gone.')
  @minValue(1)
  @maxValue(31536000)
  renewBefore: int?

  // Bicep has no union of different types.
  @description('The number of seconds for which a refresh token stays usable after its first use, or "unlimited". 0: single use. Too high a value may make the provider revoke the connection. Default: what the provider documents.')
  #disable-next-line no-explicit-any
  refreshTokenGrace: any?

  @description('The lifetime of an access token in seconds, above 0, where the answer does not say it. Default: what the provider documents, else 3600.')
  @minValue(1)
  @maxValue(31536000)
  accessTokenLifetime: int?

  @description('true where an existing secret that somebody else made may be overwritten with the access token or connection string, else false. Default: false.')
  overwrite: bool?

  @description('true, or false to pause the connection. A paused one is shown and never granted. Default: true.')
  enabled: bool?
}
