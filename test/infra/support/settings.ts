import { readEnvironment } from '../../../lib/config/environment.ts';
import type { Settings } from '../../../lib/config/settings.ts';
import { ofType, resolved, type Snapshot } from './arm.ts';

/** Settings of the platform and of the HTTP functions, which `lib/config/environment.ts` does not read. */
const OF_THE_HOST = [
  'APPLICATIONINSIGHTS_AUTHENTICATION_STRING',
  'APPLICATIONINSIGHTS_CONNECTION_STRING',
  'REQUIRED_APP_ROLE',
  'REQUIRED_TENANT_ID',
];

/** The app's settings by name, as far as they are known before a deployment. */
export function appSettings(snapshot: Snapshot): Record<string, string> {
  const [app] = ofType(snapshot, 'Microsoft.Web/sites');
  const settings: { name: string; value: string }[] = app?.properties.siteConfig.appSettings ?? [];
  return Object.fromEntries(settings.map(({ name, value }) => [name, resolved(value)]));
}

/** The settings as the program reads them. @throws RotatorError if they are not valid */
export function understood(snapshot: Snapshot): Settings {
  return readEnvironment(appSettings(snapshot));
}

/** Settings that nothing reads, and settings that contain a value that looks like a secret. */
export function settingsViolations(snapshot: Snapshot): string[] {
  const settings = appSettings(snapshot);
  const read = namesRead(settings);
  const unread = Object.keys(settings).filter((name) => !read.has(name) && !OF_THE_HOST.includes(name));
  const secrets = Object.entries(settings).filter(
    ([name, value]) =>
      /(secret|password|token|key)$/i.test(name) ||
      /AccountKey=|SharedAccessKey=|SharedAccessSignature|[?&]sig=|listKeys\(|@Microsoft\.KeyVault/i.test(
        value,
      ),
  );
  return [
    ...unread.map((name) => `nothing reads the setting ${name}`),
    ...secrets.map(([name]) => `the setting ${name} contains a secret`),
    ...refusal(snapshot),
  ];
}

function refusal(snapshot: Snapshot): string[] {
  try {
    const { warnings, storage } = understood(snapshot);
    const byIdentity =
      storage.kind === 'identity' ? [] : ['the app does not use its identity for the storage account'];
    // Without it, the host asks for a system-assigned identity, which the app does not have.
    const ofHost = appSettings(snapshot).AzureWebJobsStorage__clientId
      ? []
      : ['AzureWebJobsStorage__clientId does not name the user-assigned identity'];
    return [...warnings, ...byIdentity, ...ofHost];
  } catch (thrown) {
    return [String(thrown)];
  }
}

/** The names that the program reads from the environment. */
function namesRead(settings: Readonly<Record<string, string>>): ReadonlySet<string> {
  const read = new Set<string>();
  const get = (target: Readonly<Record<string, string>>, name: string) => {
    read.add(name);
    return target[name];
  };
  try {
    readEnvironment(new Proxy(settings, { get }));
  } catch {
    // refusal() reports invalid values.
  }
  return read;
}
