import type { Connection } from '../rotation/core/connection.ts';

/** What to do, one or two sentences that name the secrets of the connection. */
export type Fix = (connection: Connection) => string;

/** Everything that a failed grant asks of a person. */
export const fixes = {
  signIn: ({ secrets }) => `Sign in again and set ${secrets.refreshToken} to the new refresh token.`,
  account: ({ secrets }) =>
    `Enable the account, or sign in with another one and set ${secrets.refreshToken} to its refresh token.`,
  webPlatform: ({ secrets }) =>
    `Register the redirect URI under the platform Web instead of single-page application, sign in again and set ${secrets.refreshToken}.`,
  consent: ({ secrets }) =>
    `Have an administrator grant consent to the application, sign in again and set ${secrets.refreshToken}.`,
  registration: ({ secrets }) =>
    `Sign in interactively, register a second factor and set ${secrets.refreshToken} to the new refresh token.`,
  conditionalAccess: ({ secrets }) =>
    `Look up the policy in the sign-in logs and exclude this account or application, then sign in and set ${secrets.refreshToken}.`,
  signInFrequency: ({ secrets }) =>
    `Exclude this account from the sign-in frequency policy, or this comes back; then sign in and set ${secrets.refreshToken}.`,
  secretValue: ({ secrets }) =>
    `Set ${secrets.clientSecrets.join(' or ')} to the value of a client secret, not to its ID.`,
  newSecret: ({ secrets }) =>
    `Create a new client secret and set ${secrets.clientSecrets.join(' or ')} to it.`,
  certificate: ({ secrets }) =>
    `Upload the certificate to the application, or set ${secrets.clientSecrets.join(' or ')} to a client secret.`,
  client: ({ secrets }) =>
    `Check the client id and ${secrets.clientSecrets.join(', ')}, and whether clientAuthentication is what the provider expects.`,
  application: () => 'Check the client id and the tenant in tokenUri.',
  tenant: () => 'Set tenant, or the tenant in tokenUri, to the directory that the application belongs to.',
  parameters: () =>
    'Check scope and the other parameters of the connection against what the provider expects.',
  grantType: () =>
    "Allow the refresh-token grant in the client's settings at the provider, and check the client id.",
  request: () => 'Check tokenUri, clientAuthentication and the parameters of the connection.',
  address: () => "Set tokenUri to the address of the provider's token endpoint; redirects are not followed.",
  privateNetwork: ({ name }) =>
    `Set "allowPrivateNetwork": true in the entry of ${name} where its token endpoint is in your own network, else correct tokenUri or the name's DNS records.`,
  publicAddress: () => "Set tokenUri to the provider's own address, or correct the DNS records of its name.",
  answer: () =>
    'Check that tokenUri is the token endpoint of an OAuth 2.0 provider that issues Bearer tokens.',
  reach: () => 'Nothing now: it is tried again. If it stays, check tokenUri, DNS, firewall and certificates.',
  wait: () => 'Nothing now: it is tried again later.',
} satisfies Record<string, Fix>;
