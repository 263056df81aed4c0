using 'main.bicep'

// Fill in these parameters in your own fork or branch, and merge new versions into it. All have a default: an unchanged file deploys a rotator without connections. main.bicep describes
// the other parameters (existing vaults, one vault, sizes, names) with their defaults.

// The name of this rotator. azd passes the name of its environment.
param environmentName = readEnvironmentVariable('AZURE_ENV_NAME', 'rotator')

// The region. azd passes the one that it asked for. Empty: the region of the resource group.
param location = readEnvironmentVariable('AZURE_LOCATION', '')

// The connections, as README.md and connections.schema.json describe them. They contain no secret: put client secrets and
// the first refresh tokens into the credential vault after the deployment.
param connections = {
  // 'dynamics-prod': {
  //   provider: 'dynamics365'
  //   tenant: 'contoso.onmicrosoft.com'
  //   serviceUrl: 'https://contoso.api.crm.dynamics.com/api/data/v9.1/'
  // }
}

// More than 30,000 characters (about 200 short connections) do not fit into an app setting: set 'blob', leave connections empty and
// keep them in connections.json. azd uploads it. Without azd, upload it to the address in the output CONNECTIONS_BLOB_URL.
param connectionsSource = 'inline'

// The principals that put the secrets into the credential vault. With azd on your machine, you are one of them automatically.
// Without azd, set AZURE_OPERATOR_ID to the output of: az ad signed-in-user show --query id --output tsv
// If a workflow deploys, name users or a group: the workflow itself gets no right on the vaults.
param operators = empty(readEnvironmentVariable('AZURE_OPERATOR_ID', ''))
  ? []
  : [
      {
        principalId: readEnvironmentVariable('AZURE_OPERATOR_ID', '')
        principalType: readEnvironmentVariable('AZURE_OPERATOR_TYPE', 'User') == 'ServicePrincipal'
          ? 'ServicePrincipal'
          : readEnvironmentVariable('AZURE_OPERATOR_TYPE', 'User') == 'Group' ? 'Group' : 'User'
      }
    ]

// GitHub Actions sets CI, Azure Pipelines sets TF_BUILD. A pipeline uploads the connections file and nothing else; the identity that
// previews a pull request gets nothing. azd names its environment.
var inPipeline = !empty('${readEnvironmentVariable('CI', '')}${readEnvironmentVariable('TF_BUILD', '')}')
var previews = readEnvironmentVariable('GITHUB_EVENT_NAME', '') == 'pull_request'
param deployerRole = previews
  ? 'none'
  : inPipeline ? 'uploader' : empty(readEnvironmentVariable('AZURE_ENV_NAME', '')) ? 'none' : 'operator'

// The principals that read access tokens: object ids of managed identities, service principals, groups or users.
param consumers = [
  // { principalId: '<object id>' }
  // { principalId: '<object id>', principalType: 'Group' }
]

// Addresses that get a mail when a connection needs an operator, or when the rotator itself is silent. Without one, no operator hears of it.
param alarmEmails = []

// true: virtual network, private endpoints, closed firewalls. allowedIpRanges then admits operators from outside.
param privateNetworking = false
param allowedIpRanges = []

// Entra ID in front of the HTTP functions: { clientId: '<client id>', appRole: 'Rotator.Operate' }
param entraAuthentication = null
