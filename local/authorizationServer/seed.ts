import type Provider from 'oidc-provider';

/** The only account: the tests and the local stack need no second one. */
export const ACCOUNT_ID = 'local-user';

/** With `openid`, the resource endpoint accepts the access token. With `offline_access`, there is a refresh token. */
export const DEFAULT_SCOPE = 'openid email offline_access';

/** Saves what the authorization code flow would save: the consent and the first refresh token of its token family. */
export async function seedFirstRefreshToken(provider: Provider, clientId: string): Promise<string> {
  const client = await provider.Client.find(clientId);
  if (!client) throw new Error(`no client ${clientId}`);
  const grant = new provider.Grant({ accountId: ACCOUNT_ID, clientId });
  grant.addOIDCScope(DEFAULT_SCOPE);
  const token = new provider.RefreshToken({
    accountId: ACCOUNT_ID,
    client,
    grantId: await grant.save(),
    gty: 'authorization_code',
    rotations: 0,
    scope: DEFAULT_SCOPE,
  });
  return token.save();
}
