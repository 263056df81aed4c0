import type { Connection } from '../rotation/core/connection.ts';

/** The action for the operator: one or two sentences that name the secrets of the connection. */
export type Fix = (connection: Connection) => string;

/** Every fix for a failed token request. */
export const fixes = {
  signIn: ({ secrets }) => `Sign in again and set ${secrets.refreshToken} to the new refresh token.`,
  account: ({ secrets }) =>
    `Enable the account: the stored refresh token then works again. Or sign in with another one and set ${secrets.refreshToken} to its refresh token.`,
  lockedAccount: () =>
    'Wait until the account is unlocked, or unlock it: the stored refresh token then works again.',
  assignment: () =>
    'Assign the account to the application in Entra, under Enterprise applications: the stored refresh token then works again.',
  webPlatform: ({ secrets }) =>
    `Register the redirect URI under the platform Web instead of single-page application, sign in again and set ${secrets.refreshToken}.`,
  consent: ({ secrets }) =>
    `Have an administrator grant consent to the application. If the stored refresh token still does not work, sign in again and set ${secrets.refreshToken}.`,
  registration: ({ secrets }) =>
    `Sign in interactively, register a second factor and set ${secrets.refreshToken} to the new refresh token.`,
  conditionalAccess: ({ secrets }) =>
    `Find the policy in the sign-in logs, and exclude this account or application: the stored refresh token then works again. Otherwise, sign in again and set ${secrets.refreshToken}.`,
  signInFrequency: ({ secrets }) =>
    `Exclude this account from the sign-in frequency policy to prevent the error. Then sign in again and set ${secrets.refreshToken}.`,
  secretValue: ({ secrets }) =>
    `Set ${secrets.clientSecrets.join(' or ')} to the value of a client secret, not to its ID.`,
  newSecret: ({ secrets }) =>
    `Create a new client secret and set ${secrets.clientSecrets.join(' or ')} to it.`,
  certificate: ({ secrets }) =>
    `Upload the certificate to the application, or set ${secrets.clientSecrets.join(' or ')} to a client secret.`,
  client: ({ secrets }) =>
    `Check the client id, ${secrets.clientSecrets.join(', ')} and clientAuthentication against the client's settings at the provider.`,
  application: () => 'Check the client id and the tenant in tokenUri.',
  tenant: () => 'Set tenant, or the tenant in tokenUri, to the directory that the application belongs to.',
  parameters: () =>
    "Check scope and the other parameters of the connection against the provider's documentation.",
  grantType: () =>
    "Allow the refresh token grant in the client's settings at the provider, and check the client id.",
  request: () => 'Check tokenUri, clientAuthentication and the parameters of the connection.',
  address: () => "Set tokenUri to the address of the provider's token endpoint; redirects are not followed.",
  privateNetwork: ({ name }) =>
    `Set "allowPrivateNetwork": true for ${name} if its token endpoint is in your own network. Otherwise, correct tokenUri or the DNS records.`,
  publicAddress: () => "Set tokenUri to the provider's own address, or correct the DNS records of its host.",
  response: () =>
    'Check that tokenUri is the token endpoint of an OAuth 2.0 provider that issues Bearer tokens.',
  reach: () =>
    'Wait: the rotator tries again. If the error persists, check tokenUri, DNS, firewall and certificates.',
  wait: () => 'Wait: the rotator tries again later.',
} satisfies Record<string, Fix>;
