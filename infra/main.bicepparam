using 'main.bicep'

// What you fill in. All of it has a default: an untouched file brings up a rotator without connections. The further
// parameters (existing vaults, one vault, sizes, names) are described in main.bicep; the values there are their defaults.

// The name of this rotator. azd gives the name of its environment.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'rotator')

// The connections, as README.md and connections.schema.json describe them. No secret stands here: client secrets and the
// first refresh tokens go into the credential vault once it is there.
param connections = {
  // 'dynamics-prod': {
  //   provider: 'dynamics365'
  //   tenant: 'contoso.onmicrosoft.com'
  //   serviceUrl: 'https://contoso.api.crm.dynamics.com/api/data/v9.1/'
  // }
}

// More than 30,000 characters (some 200 short connections) do not fit into an app setting: set 'blob', leave connections empty and
// keep them in connections.json. azd uploads it; without azd upload it to the address in the output CONNECTIONS_BLOB_URL.
param connectionsSource = 'inline'

// Who puts the secrets into the credential vault. azd gives the id of whoever is signed in and not what that is; where it is no
// person, run: azd env set AZURE_PRINCIPAL_TYPE ServicePrincipal
// Without azd set AZURE_PRINCIPAL_ID to the answer of: az ad signed-in-user show --query id --output tsv
// Where a workflow deploys, name people or a group here instead, or the workflow is given these rights.
param operators = empty(readEnvironmentVariable('AZURE_PRINCIPAL_ID', ''))
  ? []
  : [
      {
        principalId: readEnvironmentVariable('AZURE_PRINCIPAL_ID', '')
        principalType: readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User') == 'ServicePrincipal'
          ? 'ServicePrincipal'
          : readEnvironmentVariable('AZURE_PRINCIPAL_TYPE', 'User') == 'Group' ? 'Group' : 'User'
      }
    ]

// Who reads access tokens: object ids of managed identities, service principals, groups or users.
param consumers = [
  // { principalId: '<object id>' }
  // { principalId: '<object id>', principalType: 'Group' }
]

// Who gets a mail when a connection needs a person, or the rotator itself is silent.
param alarmEmails = []

// true: virtual network, private endpoints, closed firewalls. allowedIpRanges then lets in operators from outside.
param privateNetworking = false
param allowedIpRanges = []

// Entra ID in front of the HTTP functions: { clientId: '<client id>', appRole: 'Rotator.Operate' }
param entraAuthentication = null
