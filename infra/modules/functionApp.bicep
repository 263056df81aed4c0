metadata description = 'Flex Consumption plan and the function app. No setting holds a secret: everything is reached with the user-assigned identity.'

import { entraAuthentication as entraAuthenticationType, tagMap } from 'types.bicep'

@description('Required. Last part of the names; the name of the app is unique in the cloud.')
param name string

@description('Required. Azure region.')
param location string

@description('Required. Tags.')
param tags tagMap

@description('Required. Resource id of the user-assigned identity.')
param identityId string

@description('Required. Client id of the user-assigned identity.')
param identityClientId string

@description('Required. Name of the storage account.')
param storageAccountName string

@description('Required. Container of the deployment package.')
param packageContainerName string

@description('Required. Connection string of Application Insights for the telemetry.')
param insightsConnectionString string

@description('Required. Memory of an instance in MB.')
@allowed([512, 2048, 4096])
param instanceMemoryMB int

@description('Required. Instances that always run for the timer.')
@minValue(0)
@maxValue(10)
param alwaysReadyInstances int

@description('Required. How a deployment replaces running instances.')
@allowed(['RollingUpdate', 'Recreate'])
param updateStrategy string

@description('Required. Resource id of the subnet for the app; empty: no virtual network.')
param subnetId string

@description('Required. Address of the credential vault.')
param credentialVaultUrl string

@description('Required. Address of the token vault.')
param tokenVaultUrl string

@description('Required. The connections: JSON text, or the https address of a blob.')
param connections string

@description('Required. Schedule of the timer: NCRONTAB of six fields.')
param rotationSchedule string

@description('Required. New secret versions per vault in 10 seconds.')
@minValue(1)
@maxValue(300)
param vaultWritesPer10Seconds int

@description('Required. How many addresses get the alarms. rotator doctor warns of 0.')
@minValue(0)
param alarmRecipients int

@description('Required. Secrets outside NAME-client-id, NAME-client-secret and NAME-refresh-token that the connections file may name. Others need the tag connections at the secret.')
param allowedSecrets string[]

@description('Required. Host names of token endpoints, or *.example.com for all names below one; the connections file can name no others. Empty: no limit.')
param allowedTokenHosts string[]

@description('Required. Addresses of vaults that the connections file may name in addition to the two of this deployment. Empty: no limit.')
param allowedVaults string[]

@description('Required. Entra ID in front of the HTTP functions; null: function keys only.')
param entraAuthentication entraAuthenticationType?

@description('Required. https address of the deployment package; empty: it is deployed later.')
param packageUri string

var storageSuffix = environment().suffixes.storage

resource plan 'Microsoft.Web/serverfarms@2025-03-01' = {
  name: 'plan-${name}'
  location: location
  tags: tags
  kind: 'functionapp'
  sku: { tier: 'FlexConsumption', name: 'FC1' }
  properties: { reserved: true }
}

resource app 'Microsoft.Web/sites@2025-03-01' = {
  name: 'func-${name}'
  location: location
  // azd finds the app by this tag.
  tags: union(tags, { 'azd-service-name': 'rotator' })
  kind: 'functionapp,linux'
  identity: {
    type: 'UserAssigned'
    userAssignedIdentities: { '${identityId}': {} }
  }
  properties: {
    serverFarmId: plan.id
    httpsOnly: true
    clientAffinityEnabled: false
    virtualNetworkSubnetId: empty(subnetId) ? null : subnetId
    functionAppConfig: {
      deployment: {
        storage: {
          type: 'blobContainer'
          value: 'https://${storageAccountName}.blob.${storageSuffix}/${packageContainerName}'
          authentication: {
            type: 'UserAssignedIdentity'
            userAssignedIdentityResourceId: identityId
          }
        }
      }
      runtime: { name: 'node', version: '24' }
      #disable-next-line BCP037 // documented, but not yet in the types
      siteUpdateStrategy: { type: updateStrategy }
      scaleAndConcurrency: {
        instanceMemoryMB: instanceMemoryMB
        // The platform accepts no smaller number; a sweep needs one.
        maximumInstanceCount: 40
        alwaysReady: alwaysReadyInstances == 0
          ? []
          : [{ name: 'function:rotateOnSchedule', instanceCount: alwaysReadyInstances }]
      }
    }
    // Flex Consumption refuses most other properties here, and settings such as FUNCTIONS_WORKER_RUNTIME (ARM error 51021).
    siteConfig: {
      minTlsVersion: '1.2'
      scmMinTlsVersion: '1.2'
      http20Enabled: true
      appSettings: [
        { name: 'AzureWebJobsStorage__accountName', value: storageAccountName }
        { name: 'AzureWebJobsStorage__credential', value: 'managedidentity' }
        { name: 'AzureWebJobsStorage__clientId', value: identityClientId }
        { name: 'APPLICATIONINSIGHTS_CONNECTION_STRING', value: insightsConnectionString }
        { name: 'APPLICATIONINSIGHTS_AUTHENTICATION_STRING', value: 'ClientId=${identityClientId};Authorization=AAD' }
        { name: 'AZURE_CLIENT_ID', value: identityClientId }
        { name: 'CREDENTIAL_VAULT_URL', value: credentialVaultUrl }
        { name: 'TOKEN_VAULT_URL', value: tokenVaultUrl }
        { name: 'CONNECTIONS', value: connections }
        { name: 'ROTATION_SCHEDULE', value: rotationSchedule }
        { name: 'VAULT_WRITES_PER_10_SECONDS', value: string(vaultWritesPer10Seconds) }
        { name: 'ALARM_RECIPIENTS', value: string(alarmRecipients) }
        // What the connections file cannot decide. Empty: no limit beyond the checks of the program.
        { name: 'ALLOWED_SECRETS', value: join(allowedSecrets, ' ') }
        { name: 'ALLOWED_TOKEN_HOSTS', value: join(allowedTokenHosts, ' ') }
        { name: 'ALLOWED_VAULTS', value: join(allowedVaults, ' ') }
        // Empty: callers need no role.
        { name: 'REQUIRED_APP_ROLE', value: entraAuthentication.?appRole ?? '' }
        { name: 'REQUIRED_TENANT_ID', value: entraAuthentication != null ? subscription().tenantId : '' }
      ]
    }
  }
}

// Azure downloads the package and stores it in the container, with the identity of the app.
resource package 'Microsoft.Web/sites/extensions@2025-03-01' = if (!empty(packageUri)) {
  parent: app
  name: 'onedeploy'
  #disable-next-line BCP187 // documented, but not yet in the types
  properties: {
    packageUri: packageUri
    remoteBuild: false
  }
  dependsOn: [authentication]
}

// Deployments sign in with Entra ID; the publishing passwords are switched off.
resource ftpPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'ftp'
  properties: { allow: false }
}

resource scmPublishing 'Microsoft.Web/sites/basicPublishingCredentialsPolicies@2025-03-01' = {
  parent: app
  name: 'scm'
  properties: { allow: false }
}

// Deployed in any case: a deployment does not change what it leaves out, so it could not switch authentication off.
resource authentication 'Microsoft.Web/sites/config@2025-03-01' = {
  parent: app
  name: 'authsettingsV2'
  properties: entraAuthentication == null
    ? { platform: { enabled: false } }
    : {
        platform: { enabled: true }
        globalValidation: {
          requireAuthentication: true
          unauthenticatedClientAction: 'Return401'
          // Probes have no token, and the response says only yes or no.
          excludedPaths: ['/api/health']
        }
        httpSettings: { requireHttps: true }
        identityProviders: {
          azureActiveDirectory: {
            enabled: true
            registration: {
              clientId: entraAuthentication!.clientId
              openIdIssuer: '${environment().authentication.loginEndpoint}${subscription().tenantId}/v2.0'
            }
            validation: {
              allowedAudiences: [entraAuthentication!.clientId, 'api://${entraAuthentication!.clientId}']
            }
          }
        }
        login: { tokenStore: { enabled: false } }
      }
}

@description('Name of the function app.')
output name string = app.name

@description('Address of the HTTP functions.')
output url string = 'https://${app.properties.defaultHostName}'
