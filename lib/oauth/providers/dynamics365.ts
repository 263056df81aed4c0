import { entra, isEntra, withOfflineAccess } from './entra.ts';
import type { ProfileEntry, ProviderProfile } from './profile.ts';

/** The scope for all consented permissions of the environment at the service URL: its origin with `/.default`. */
function environmentScope({ serviceUrl, scope }: ProfileEntry): Record<string, string> {
  if (scope) return { scope: withOfflineAccess(scope) };
  return serviceUrl ? { scope: withOfflineAccess(`${new URL(serviceUrl).origin}/.default`) } : {};
}

/** Dynamics 365 and Dataverse: Entra ID with the scope that belongs to the environment. */
export const dynamics365: ProviderProfile = {
  ...entra,
  id: 'dynamics365',
  title: 'Microsoft Dynamics 365',
  parameters: environmentScope,
  recognizes: ({ tokenUri, serviceUrl }) => isEntra(tokenUri) && serviceUrl !== undefined,
  needs: ['serviceUrl'],
  needsForItself: ['tenant', 'serviceUrl'],
  source: 'https://learn.microsoft.com/en-us/power-apps/developer/data-platform/authenticate-oauth',
};
