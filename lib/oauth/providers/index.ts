import { dynamics365 } from './dynamics365.ts';
import { entra } from './entra.ts';
import { generic } from './generic.ts';
import { okta } from './okta.ts';
import type { ProviderId, ProviderProfile } from './profile.ts';

export type { ProviderId, ProviderProfile } from './profile.ts';

/** All profiles by the name that an entry gives as `provider`. */
export const providers: Readonly<Record<ProviderId, ProviderProfile>> = {
  generic,
  entra,
  dynamics365,
  okta,
};
