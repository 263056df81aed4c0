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
  | 'adfs'
  | 'adobe'
  | 'amazon'
  | 'atlassian'
  | 'auth0'
  | 'box'
  | 'calendly'
  | 'concur'
  | 'databricks'
  | 'docusign'
  | 'ebay'
  | 'exact'
  | 'freshbooks'
  | 'github'
  | 'gitlab'
  | 'google'
  | 'hubspot'
  | 'intuit'
  | 'keycloak'
  | 'linkedin'
  | 'netsuite'
  | 'okta'
  | 'ping'
  | 'procore'
  | 'sage'
  | 'salesforce'
  | 'servicenow'
  | 'shopify'
  | 'slack'
  | 'snowflake'
  | 'square'
  | 'tiktok'
  | 'workday'
  | 'xero'
  | 'zendesk'
  | 'zoho'
  | 'zoom'

type clientAuthentication =
  | 'client_secret_basic'
  | 'client_secret_basic_raw'
  | 'client_secret_post'
  | 'private_key_jwt'
  | 'managed_identity_federation'
  | 'none'

@sealed()
type secrets = {
  @description('The name of the secret with the client id. Default: NAME-client-id. Omit if `clientId` is set.')
  @minLength(1)
  @maxLength(127)
  clientId: string?

  // Bicep has no union of different types.
  @description('The name of the secret with the client secret, or a list of names. Several are tried in order while a client secret is being replaced. Only for methods that send one. Default: NAME-client-secret.')
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

  @description('The name of the secret with the connection string, if `publish.connectionString` requests one. Default: NAME-connection-string.')
  @minLength(1)
  @maxLength(127)
  connectionString: string?
}

@sealed()
type publish = {
  // Bicep has no union of different types.
  @description('The string that drivers connect with, as "accessToken" or an object of syntax and template, both for the token vault, or "refreshToken". "accessToken" and "refreshToken" are those of the DataDirect ODBC driver. "refreshToken" contains the client secret and the refresh token, is written to the credential vault, and requires refresh tokens that stay valid after their use.')
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
type response = {
  @description('The place of the tokens in the response: names of members from the outside to the inside, with a dot between them, such as data or data.0. Default: the response itself, or the only object in it that has tokens.')
  @minLength(1)
  tokensIn: string?

  @description('The values of `token_type` that mean Bearer, as a list. Default: the usual ones.')
  bearerTypes: string[]?

  @description('The name of the member with the lifetime or the expiry of the access token. Default: the usual names.')
  @minLength(1)
  expiresIn: string?

  @description('The unit of the lifetimes: "seconds" or "milliseconds". Default: seconds.')
  expiresInUnit: ('seconds' | 'milliseconds')?

  @description('The names of the members beside the access token that become tags of the published secret, as a list, such as instance_url. Default: those that the provider documents.')
  tags: string[]?
}

@sealed()
type error = {
  @description('The HTTP status, 200 to 499. Default: any 2xx or 4xx except 429.')
  @minValue(200)
  @maxValue(499)
  status: int?

  @description('The whole value of the member `error`.')
  @minLength(1)
  error: string?

  @description('A part of the member `error_description`, in any case of letters.')
  @minLength(1)
  description: string?

  @description('The meaning of the response. retrying: the provider did not process the request.')
  means: ('reauthorization_required' | 'client_rejected' | 'retrying' | 'misconfigured')
}

@sealed()
type connection = {
  @description('The kind of provider, which brings the defaults of the other settings (generic, entra, dynamics365, adfs, adobe, amazon, atlassian, auth0, box, calendly, concur, databricks, docusign, ebay, exact, freshbooks, github, gitlab, google, hubspot, intuit, keycloak, linkedin, netsuite, okta, ping, procore, sage, salesforce, servicenow, shopify, slack, snowflake, square, tiktok, workday, xero, zendesk, zoho, zoom, or a name in `providers`). Default: generic.')
  provider: provider?

  @description('The https address of the token endpoint, 2,000 characters at most. Required if the provider has no default for it. A leading "POST " is removed.')
  @minLength(1)
  tokenUri: string?

  @description('The https address of the endpoint that revokes refresh tokens (RFC 7009), for `rotator remove --revoke`, or a path that replaces that of `tokenUri`. It gets the client secret and the refresh token. Default: the one that the provider documents.')
  @minLength(1)
  revocationUri: string?

  @description('true if the token endpoint is in a private network (10/8, 172.16/12, 192.168/16, fc00::/7), otherwise false. Loopback, link-local and metadata addresses are always refused. Default: false.')
  allowPrivateNetwork: bool?

  @description('The part of the addresses that names the customer, such as a directory (tenant) id, a domain name or a subdomain. The profile says which. Only for providers with tenants.')
  @minLength(1)
  tenant: string?

  @description('The https address of the service that the token is for, such as https://ORG.example.com. Some profiles derive the scope from it.')
  @minLength(1)
  serviceUrl: string?

  @description('The client id itself. Omit to read it from the secret that `secrets.clientId` names.')
  @minLength(1)
  clientId: string?

  @description('The way in which the client proves its identity (client_secret_basic, client_secret_basic_raw, client_secret_post, private_key_jwt, managed_identity_federation, none). Default: the method that the provider prefers.')
  clientAuthentication: clientAuthentication?

  @description('The way in which access tokens are obtained: refresh_token, or client_credentials for a client that acts for itself and needs no sign-in (RFC 6749 section 4.4). Default: refresh_token.')
  grant: ('refresh_token' | 'client_credentials')?

  // Bicep has no union of different types.
  @description('The key of the client for private_key_jwt, as an object with "certificate", "key" or "secret", or a list of such objects. Several are tried in order while a key is being replaced. Optional members: "algorithm" (RS256, PS256, ES256) and "keyId". Default: the secret NAME-client-key.')
  #disable-next-line no-explicit-any
  clientKey: any?

  @description('The audience of the client assertion. Default: the token endpoint; with managed_identity_federation, the token exchange of the public cloud.')
  @minLength(1)
  clientAssertionAudience: string?

  @description('true if the client secret is the empty string (RFC 6749 section 2.3.1), otherwise false. No secret is read then. Default: false.')
  emptyClientSecret: bool?

  @description('The scopes to request, separated by spaces. Default: those of the provider profile, or none.')
  @minLength(1)
  scope: string?

  @description('The `resource` parameter of the token request. Most providers need none.')
  @minLength(1)
  resource: string?

  @description('The additional parameters of the token request, as an object of texts. The protocol\'s own (grant_type, refresh_token, client_id, client_secret, client_assertion...) are refused.')
  parameters: { *: string }?

  @description('The names of the secrets, as an object. The secrets themselves are only in Key Vault.')
  secrets: secrets?

  @description('The additional secrets to publish with each access token, as an object.')
  publish: publish?

  @description('The addresses of this connection\'s vaults, as an object. Rarely needed.')
  vaults: vaults?

  @description('The number of seconds before expiry at which the access token is renewed, above 0. Default: when two thirds of its lifetime are over.')
  @minValue(1)
  @maxValue(31536000)
  renewBefore: int?

  // Bicep has no union of different types.
  @description('The number of seconds for which a refresh token stays valid after its first use, or "unlimited". 0: single use. If the value is too high, the provider may revoke the connection. Default: the value that the provider documents.')
  #disable-next-line no-explicit-any
  refreshTokenGrace: any?

  @description('The lifetime of an access token in seconds, above 0, if the token response names none. Default: the value that the provider documents, otherwise 3600.')
  @minValue(1)
  @maxValue(31536000)
  accessTokenLifetime: int?

  @description('The format of the token request: "form", which RFC 6749 requires, or "json". Default: the one that the provider wants.')
  requestFormat: ('form' | 'json')?

  @description('The shape of the token responses, as an object, if it differs from RFC 6749 and the rotator does not understand it. Default: the one that the provider documents.')
  response: response?

  @description('The number of seconds, above 0, that a refresh token lives after each refresh, if the token response does not say it. Default: the value that the provider documents.')
  @minValue(1)
  @maxValue(315360000)
  refreshTokenIdleLifetime: int?

  @description('The number of seconds, above 0, that all refresh tokens of a sign-in live, whatever is issued since. Default: the value that the provider documents.')
  @minValue(1)
  @maxValue(315360000)
  refreshTokenAbsoluteLifetime: int?

  @description('true if a refresh ends the access token before it, so that it must come late, otherwise false. Default: as the provider documents it.')
  accessTokenEndsAtRefresh: bool?

  @description('The age of an access token in seconds, above 0, before which the provider refuses to renew it. Default: the value that the provider documents.')
  @minValue(1)
  @maxValue(31536000)
  earliestRenewal: int?

  @description('The number of token requests a day, above 0, that the provider takes from the connection. Failed requests are then repeated more rarely. Default: the value that the provider documents.')
  @minValue(1)
  @maxValue(1000000)
  requestsPerDay: int?

  @description('The meanings of error responses, as a list of objects. They are tried before those that the rotator knows.')
  errors: error[]?

  @description('The number of seconds, above 0, after which secrets without a known end get an expiration date in the vault, for an Azure Policy that requires one. Each rotation renews it, and the rotator never treats it as a deadline. Default: no expiration date.')
  @minValue(1)
  @maxValue(31536000)
  expirationHorizon: int?

  @description('true if the access token or connection string may overwrite an existing secret that the rotator does not manage, otherwise false. Default: false.')
  overwrite: bool?

  @description('true, or false to pause the connection. The rotator shows a paused connection but sends no token requests for it. Default: true.')
  enabled: bool?
}
