import type { Environment } from './environmentReader.ts';

/** The variables of the settings and of the rotator's identity, including those of the platform and the Azure libraries. */
const SETTING =
  /^(CREDENTIAL_VAULT_URL|TOKEN_VAULT_URL|CONNECTIONS|ROTATION_SCHEDULE|VAULT_WRITES_PER_10_SECONDS|SUBSCRIPTION_WRITES_PER_10_SECONDS|ALARM_RECIPIENTS|REQUIRED_APP_ROLE|REQUIRED_TENANT_ID|ALLOWED_SECRETS|ALLOWED_TOKEN_HOSTS|ALLOWED_VAULTS|ALLOW_LOOPBACK_HTTP|(AzureWebJobs|AZURE_|IDENTITY_|MSI_|WEBSITE_|FUNCTIONS_).*)$/i;

/** The names of all variables that would change the behavior or the identity of the rotator. */
export function settingNames(env: Environment): string[] {
  return Object.keys(env).filter((name) => SETTING.test(name));
}

/** The variables that any process needs, such as PATH, without the rotator's settings. */
export function withoutSettings(env: Environment): Record<string, string | undefined> {
  const names = new Set(settingNames(env));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.has(name)));
}
