import { atlassian } from './atlassian.ts';
import { auth0 } from './auth0.ts';
import { docusign } from './docusign.ts';
import { dynamics365 } from './dynamics365.ts';
import { entra } from './entra.ts';
import { generic } from './generic.ts';
import { google } from './google.ts';
import { hubspot } from './hubspot.ts';
import { intuit } from './intuit.ts';
import { okta } from './okta.ts';
import type { ProviderId, ProviderProfile } from './profile.ts';
import { salesforce } from './salesforce.ts';
import { xero } from './xero.ts';
import { zoho } from './zoho.ts';

export type { ProviderId, ProviderProfile } from './profile.ts';

/** All profiles by the name that an entry gives as `provider`. */
export const providers: Readonly<Record<ProviderId, ProviderProfile>> = {
  generic,
  entra,
  dynamics365,
  atlassian,
  auth0,
  docusign,
  google,
  hubspot,
  intuit,
  okta,
  salesforce,
  xero,
  zoho,
};
