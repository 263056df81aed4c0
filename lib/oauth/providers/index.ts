import type { ErrorRule } from '../../rotation/core/tokenRequest.ts';
import { hasHost, isTokenUriOf, signInEndpointsOf } from './addresses.ts';
import { adfs } from './adfs.ts';
import { adobe } from './adobe.ts';
import { amazon } from './amazon.ts';
import { atlassian } from './atlassian.ts';
import { auth0 } from './auth0.ts';
import { box } from './box.ts';
import { calendly } from './calendly.ts';
import { concur } from './concur.ts';
import { databricks } from './databricks.ts';
import { docusign } from './docusign.ts';
import { dynamics365 } from './dynamics365.ts';
import { ebay } from './ebay.ts';
import { entra } from './entra.ts';
import { exact } from './exact.ts';
import { freshbooks } from './freshbooks.ts';
import { generic } from './generic.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import { google } from './google.ts';
import { hubspot } from './hubspot.ts';
import { intuit } from './intuit.ts';
import { keycloak } from './keycloak.ts';
import { linkedin } from './linkedin.ts';
import { netsuite } from './netsuite.ts';
import { okta } from './okta.ts';
import { ping } from './ping.ts';
import { procore } from './procore.ts';
import type { ProviderProfile, SignInEndpoints } from './profile.ts';
import { sage } from './sage.ts';
import { salesforce } from './salesforce.ts';
import { servicenow } from './servicenow.ts';
import { shopify } from './shopify.ts';
import { slack } from './slack.ts';
import { snowflake } from './snowflake.ts';
import { square } from './square.ts';
import { tiktok } from './tiktok.ts';
import { workday } from './workday.ts';
import { xero } from './xero.ts';
import { zendesk } from './zendesk.ts';
import { zoho } from './zoho.ts';
import { zoom } from './zoom.ts';

export { otherEndpoint, parametersOf, revocationUriOf, tokenUriOf, withScopes } from './addresses.ts';
export { nameOfNumber } from './entraErrors.ts';
export type { ProviderProfile } from './profile.ts';

/** All profiles by their name, the `provider` of an entry. */
export const providers = {
  generic,
  entra,
  dynamics365,
  adfs,
  adobe,
  amazon,
  atlassian,
  auth0,
  box,
  calendly,
  concur,
  databricks,
  docusign,
  ebay,
  exact,
  freshbooks,
  github,
  gitlab,
  google,
  hubspot,
  intuit,
  keycloak,
  linkedin,
  netsuite,
  okta,
  ping,
  procore,
  sage,
  salesforce,
  servicenow,
  shopify,
  slack,
  snowflake,
  square,
  tiktok,
  workday,
  xero,
  zendesk,
  zoho,
  zoom,
} satisfies Readonly<Record<string, ProviderProfile>>;

/** The profiles that this program knows. */
export type ProviderId = keyof typeof providers;

const all: readonly ProviderProfile[] = Object.values(providers);

/** The errors that mean the same for the connections of all profiles, because only one provider uses them. */
export const unmistakableErrors: readonly ErrorRule[] = all
  .flatMap(({ behavior }) => behavior.errors ?? [])
  .filter(({ unmistakable }) => unmistakable);

/** The profile of that name; the generic one if there is none. */
export function profileNamed(id: string | undefined): ProviderProfile {
  return all.find((profile) => profile.id === id) ?? generic;
}

/** The provider of a known address. If several have it, those that need a service URL fit an entry with one, and no other. */
export function providerOf(tokenUri: string, serviceUrl: string | undefined): ProviderProfile | undefined {
  const found = all.filter((profile) => hasHost(profile, tokenUri));
  const fitting = found.find(({ needs = [] }) => needs.includes('serviceUrl') === (serviceUrl !== undefined));
  return fitting ?? found.find(({ needs = [] }) => !needs.includes('serviceUrl'));
}

/**
 * The endpoints of a sign-in that follow from a token endpoint: as the connection's own profile says, or that of another provider
 * whose address it is.
 */
export function endpointsBeside(tokenUri: string, profile = generic): SignInEndpoints {
  const known = profile === generic ? all.find((each) => isTokenUriOf(each, tokenUri)) : profile;
  return known ? signInEndpointsOf(known, tokenUri) : {};
}
