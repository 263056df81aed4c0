import { ofType, type Resource, resolved, type Snapshot } from './arm.ts';
import { networkViolations } from './networkRules.ts';
import { rightsViolations } from './rights.ts';
import { appSettings, settingsViolations } from './settings.ts';

/** The required value of a property. */
type Wanted = readonly [path: string, allowed: readonly unknown[]];

/** Every resource of the type must have these properties. */
const WANTED: Readonly<Record<string, readonly Wanted[]>> = {
  'Microsoft.KeyVault/vaults': [
    // Any mode fits only a vault that exists, or only one that was deleted, so the same deployment could not run twice.
    ['createMode', [undefined]],
    ['enableRbacAuthorization', [true]],
    ['enableSoftDelete', [true]],
    ['enablePurgeProtection', [true]],
    ['softDeleteRetentionInDays', [90]],
    ['enabledForDeployment', [false]],
    ['enabledForDiskEncryption', [false]],
    ['enabledForTemplateDeployment', [false]],
    ['networkAcls.bypass', ['None']],
  ],
  'Microsoft.Storage/storageAccounts': [
    ['allowSharedKeyAccess', [false]],
    ['allowBlobPublicAccess', [false]],
    ['allowCrossTenantReplication', [false]],
    ['defaultToOAuthAuthentication', [true]],
    ['minimumTlsVersion', ['TLS1_2', 'TLS1_3']],
    ['supportsHttpsTrafficOnly', [true]],
    ['networkAcls.bypass', ['None']],
  ],
  'Microsoft.Storage/storageAccounts/blobServices/containers': [['publicAccess', ['None']]],
  'Microsoft.OperationalInsights/workspaces': [['features.disableLocalAuth', [true]]],
  'Microsoft.Insights/components': [['DisableLocalAuth', [true]]],
  'Microsoft.Insights/scheduledQueryRules': [['skipQueryValidation', [true]]],
  // Without retries: a dead timer turns each call into a 503.
  'Microsoft.Insights/webtests': [
    ['Enabled', [true]],
    ['Kind', ['standard']],
    ['Frequency', [300]],
    ['RetryEnabled', [false]],
    ['Request.HttpVerb', ['GET']],
    ['ValidationRules.ExpectedHttpStatusCode', [200]],
  ],
  'Microsoft.Web/sites': [
    ['httpsOnly', [true]],
    ['siteConfig.minTlsVersion', ['1.2', '1.3']],
    ['siteConfig.scmMinTlsVersion', ['1.2', '1.3']],
    ['functionAppConfig.runtime.name', ['node']],
    ['functionAppConfig.runtime.version', ['24']],
    ['functionAppConfig.deployment.storage.type', ['blobContainer']],
    ['functionAppConfig.deployment.storage.authentication.type', ['UserAssignedIdentity']],
    ['functionAppConfig.siteUpdateStrategy.type', ['RollingUpdate']],
    // Flex Consumption: 512, 2048 or 4096 MB; from 40 instances.
    ['functionAppConfig.scaleAndConcurrency.instanceMemoryMB', [512, 2048, 4096]],
    ['functionAppConfig.scaleAndConcurrency.maximumInstanceCount', [40]],
  ],
  'Microsoft.Web/sites/basicPublishingCredentialsPolicies': [['allow', [false]]],
  // Only if it is switched on.
  'Microsoft.Web/sites/config': [
    ['globalValidation.requireAuthentication', [true]],
    ['globalValidation.unauthenticatedClientAction', ['Return401']],
    ['httpSettings.requireHttps', [true]],
    ['identityProviders.azureActiveDirectory.enabled', [true]],
    ['login.tokenStore.enabled', [false]],
  ],
};

/** The violations of the resources in a deployment; empty if there are none. */
export function resourceViolations(snapshot: Snapshot): string[] {
  return [
    ...snapshot.predictedResources.flatMap(propertyViolations),
    ...identityViolations(snapshot),
    ...authenticationViolations(snapshot),
    ...auditViolations(snapshot),
    ...networkViolations(snapshot),
    ...rightsViolations(snapshot),
    ...settingsViolations(snapshot),
  ];
}

/** Types that the rules check but the deployment does not contain. */
export function absentTypes(snapshot: Snapshot): string[] {
  return Object.keys(WANTED)
    .filter((type) => ofType(snapshot, type).length === 0)
    .map((type) => `there is no ${type}`);
}

function propertyViolations({ type, name, properties }: Resource): string[] {
  if (properties?.platform?.enabled === false) return [];
  return (WANTED[type] ?? []).flatMap(([path, allowed]) => {
    const value = path.split('.').reduce((part, key) => part?.[key], properties);
    return allowed.includes(value) ? [] : [`${type} ${name}: ${path} is ${JSON.stringify(value)}`];
  });
}

function identityViolations(snapshot: Snapshot): string[] {
  return ofType(snapshot, 'Microsoft.Web/sites')
    .filter(({ identity }) => identity?.type !== 'UserAssigned')
    .map(({ name }) => `${name} does not use only the user-assigned identity`);
}

/** Entra authentication is on if the functions require a role, and otherwise explicitly off. */
function authenticationViolations(snapshot: Snapshot): string[] {
  const settings = appSettings(snapshot);
  const wanted = settings.REQUIRED_APP_ROLE !== '';
  if ((settings.REQUIRED_TENANT_ID !== '') !== wanted)
    return ['REQUIRED_APP_ROLE and REQUIRED_TENANT_ID do not belong together'];
  const states = ofType(snapshot, 'Microsoft.Web/sites/config').map(
    ({ properties }) => properties.platform.enabled,
  );
  return states.length === 1 && states[0] === wanted
    ? ofType(snapshot, 'Microsoft.Web/sites/config').flatMap(callerViolations)
    : [`Entra authentication should be ${wanted} but is ${states.join()}`];
}

/** Only the health endpoint is open, and only tokens of this tenant for this app count. Nothing to check if it is off. */
function callerViolations({ properties }: Resource): string[] {
  if (!properties.platform.enabled) return [];
  const { registration, validation } = properties.identityProviders.azureActiveDirectory;
  const open = [properties.globalValidation.excludedPaths].flat().filter((path) => path !== '/api/health');
  const audiences = [registration.clientId, `api://${registration.clientId}`];
  return [
    ...open.map((path) => `Entra authentication lets every caller reach ${path}`),
    ...(properties.globalValidation.excludedPaths?.length ? [] : ['a probe cannot reach /api/health']),
    // Without the second form, App Service refuses the tokens of version 1.0: https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
    ...(validation.allowedAudiences?.join() === audiences.join()
      ? []
      : [`Entra authentication does not accept exactly the tokens for ${audiences.join(' and ')}`]),
    ...(/[\da-f]{8}-[\da-f-]{27}/.test(registration.openIdIssuer)
      ? []
      : ['Entra authentication accepts tokens of every tenant']),
  ];
}

/** Both vaults in the settings of the app have an audit log, whether they are new or not. */
function auditViolations(snapshot: Snapshot): string[] {
  const settings = ofType(snapshot, 'Microsoft.Insights/diagnosticSettings');
  const vaults = [snapshot.outputs.CREDENTIAL_VAULT_URL, snapshot.outputs.TOKEN_VAULT_URL];
  return vaults
    .map((url = '') => new URL(resolved(url)).hostname.split('.')[0])
    .filter((vault) => !settings.some((setting) => auditsVault(setting, `${vault}`)))
    .map((vault) => `the vault ${vault} has no audit log`);
}

function auditsVault({ id, properties }: Resource, vault: string): boolean {
  const { workspaceId = '', logAnalyticsDestinationType, logs = [] } = properties;
  const audit = logs.some(
    (log: { categoryGroup?: string; enabled: boolean }) => log.categoryGroup === 'audit' && log.enabled,
  );
  const dedicated = logAnalyticsDestinationType === 'Dedicated' && workspaceId.includes('/workspaces/');
  return audit && dedicated && id.includes(`/vaults/${vault}/providers/`);
}
