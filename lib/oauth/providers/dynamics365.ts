import { entra } from './entra.ts';
import { documented, type ProviderProfile } from './profile.ts';

const AUTHENTICATE =
  'https://learn.microsoft.com/en-us/power-apps/developer/data-platform/authenticate-oauth';

/** Dynamics 365 and Dataverse: Entra ID with the scope of all consented permissions in the environment at the service URL. */
export const dynamics365: ProviderProfile = {
  ...entra,
  id: 'dynamics365',
  title: 'Microsoft Dynamics 365',
  scope: '{serviceOrigin}/.default',
  needs: ['serviceUrl'],
  source: AUTHENTICATE,
  sources: { ...entra.sources, signIn: documented(AUTHENTICATE) },
};
