import type { Environment } from './environmentReader.ts';

/** What settings are read from, and what says who the rotator is: the platform's and the Azure libraries' own variables too. */
const SETTING =
  /^(CREDENTIAL_VAULT_URL|TOKEN_VAULT_URL|CONNECTIONS|ROTATION_SCHEDULE|VAULT_WRITES_PER_10_SECONDS|REQUIRED_APP_ROLE|ALLOW_LOOPBACK_HTTP|(AzureWebJobs|AZURE_|IDENTITY_|MSI_|WEBSITE_|FUNCTIONS_).*)$/i;

/** The names of all variables that would change what the rotator does or is. */
export function settingNames(env: Environment): string[] {
  return Object.keys(env).filter((name) => SETTING.test(name));
}

/** What a process needs, such as PATH, and none of the rotator's settings. */
export function withoutSettings(env: Environment): Record<string, string | undefined> {
  const names = new Set(settingNames(env));
  return Object.fromEntries(Object.entries(env).filter(([name]) => !names.has(name)));
}
