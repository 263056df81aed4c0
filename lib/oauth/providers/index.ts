import type { ErrorRule } from '../../rotation/core/tokenRequest.ts';
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
import type { ProviderId, ProviderProfile, SignInEndpoints } from './profile.ts';
import { salesforce } from './salesforce.ts';
import { xero } from './xero.ts';
import { zoho } from './zoho.ts';

export type { ProviderId, ProviderProfile } from './profile.ts';

/** All profiles by their name, the `provider` of an entry. */
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

const all = Object.values(providers);

/** The errors that mean the same for the connections of all profiles, because only one provider uses them. */
export const unmistakableErrors: readonly ErrorRule[] = all
  .flatMap(({ behavior }) => behavior.errors ?? [])
  .filter(({ unmistakable }) => unmistakable);

/** The profile of that name; the generic one if there is none. */
export function profileNamed(id: string | undefined): ProviderProfile {
  return all.find((profile) => profile.id === id) ?? generic;
}

/** The provider of a known address. */
export function providerOf(tokenUri: string, serviceUrl: string | undefined): ProviderProfile | undefined {
  return all.find(({ recognizes }) => recognizes?.({ tokenUri, serviceUrl }));
}

/** The endpoints of a sign-in that follow from a token endpoint, regardless of the provider of the connection. */
export function endpointsBeside(tokenUri: string): SignInEndpoints | undefined {
  for (const profile of all) {
    const found = profile.endpointsBeside?.(tokenUri);
    if (found) return found;
  }
  return undefined;
}
