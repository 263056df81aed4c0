import type { Connection } from '../rotation/core/connection.ts';

/**
 * The fixes for failed token requests: one or two sentences. Their placeholders are those of `fixFor`. A profile may have others
 * for its own errors.
 */
export const fixes = {
  signIn: 'Run rotator connect {connection} to sign in again, or set {refreshToken} to a new refresh token.',
  client:
    "Check the client id, {clientSecrets} and clientAuthentication against the client's settings at the provider.",
  parameters: "Check scope and the other parameters of the connection against the provider's documentation.",
  grantType: "Allow the {grant} grant in the client's settings at the provider, and check the client id.",
  request: 'Check tokenUri, clientAuthentication and the parameters of the connection.',
  address: "Set tokenUri to the address of the provider's token endpoint; redirects are not followed.",
  privateNetwork:
    'Set "allowPrivateNetwork": true for {connection} if its token endpoint is in your own network. Otherwise, correct tokenUri or the DNS records.',
  publicAddress: "Set tokenUri to the provider's own address, or correct the DNS records of its host.",
  response: 'Check that tokenUri is the token endpoint of an OAuth 2.0 provider that issues Bearer tokens.',
  apiScope:
    'Add a scope of the API to "scope" of {connection}: with the scopes of OpenID Connect alone, the provider issues no access token.',
  tokensIn: 'Set response.tokensIn of {connection} to the member of the response that has the tokens.',
  bearerTypes:
    'Set response.bearerTypes of {connection} to a list with this type if the API accepts the token as Bearer.',
  clock:
    'Have the provider correct its clock or the lifetime of its access tokens. Wait: the rotator tries again.',
  allowAddress:
    "Allow the rotator's outbound IP addresses in the network settings of the account or the application at the provider.",
  account:
    'Check the account at the provider: if it works again, the stored refresh token does as well. Otherwise, run rotator connect {connection}.',
  clientOrToken:
    "Check the client id and {clientSecrets} against the client's settings at the provider. If they are right, run rotator connect {connection}.",
  reach:
    'Wait: the rotator tries again. If the error persists, check tokenUri, DNS, firewall and certificates.',
  wait: 'Wait: the rotator tries again later.',
} as const;

/** A fix with its placeholders filled in: the names of the connection and of its secrets. */
export function fixFor(fix: string, connection: Pick<Connection, 'name'> & Partial<Connection>): string {
  const { name, secrets } = connection;
  const proofs = proofsOf(connection);
  const values = new Map([
    ['connection', name],
    ['refreshToken', secrets?.refreshToken],
    ['grant', connection.grant === 'client_credentials' ? 'client credentials' : 'refresh token'],
    // The one to set, and all of them.
    ['clientSecret', proofs?.join(' or ')],
    ['clientSecrets', proofs?.join(', ')],
  ]);
  return fix.replace(/\{(\w+)\}/g, (whole, placeholder: string) => values.get(placeholder) ?? whole);
}

/** The names of what proves the client's identity. */
function proofsOf({
  secrets,
  clientKeys = [],
  clientAuthentication,
}: Partial<Connection>): readonly string[] | undefined {
  if (clientAuthentication === 'managed_identity_federation')
    return ['the federated credential of the application'];
  const names = [...clientKeys.map(({ name }) => name), ...(secrets?.clientSecrets ?? [])];
  return secrets && names.length === 0 ? ["the client's type (public or confidential)"] : names;
}
