import Provider, { type Configuration, errors } from 'oidc-provider';
import { createAdapterFactory } from './adapter.ts';
import type { ClientRegistry } from './clients.ts';
import type { ServerKeys } from './keys.ts';
import { devicePages } from './pages.ts';
import type { TokenStore } from './tokenStore.ts';

const DAY_SECONDS = 86_400;
/** An assertion that is valid for longer is refused, in seconds. */
const LONGEST_ASSERTION = 300;
const REFRESH_TOKEN_SECONDS = 90 * DAY_SECONDS;
/** Each rotation starts another 90 days, so the grant behind the tokens must outlive all of them. */
const REQUEST_SECONDS = 3_650 * DAY_SECONDS;

/** Where the provider sends the browser to log in and to consent. */
export const INTERACTION_PATH = '/interaction/';

/** The parts of the provider. */
export interface ProviderParts {
  store: TokenStore;
  clients: ClientRegistry;
  keys: ServerKeys;
  accessTokenSeconds: number;
}

/** Makes the oidc-provider instance. Every setting is present for which it would otherwise print a development warning. */
export function createProvider(issuer: string, parts: ProviderParts): Provider {
  return new Provider(issuer, {
    ...tokenRules(parts),
    adapter: createAdapterFactory(parts.store, parts.clients),
    jwks: parts.keys.jwks,
    cookies: { keys: parts.keys.cookieKeys },
    // The default is 15 s: tokens would stay valid that much longer than `expires_in` says.
    clockTolerance: 0,
    scopes: ['openid', 'offline_access'],
    claims: { openid: ['sub'], email: ['email'] },
    features: {
      devInteractions: { enabled: false },
      rpInitiatedLogout: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_ctx, client, token) => token.clientId === client.clientId,
      },
      deviceFlow: { enabled: true, ...devicePages },
      clientCredentials: { enabled: true },
    },
    interactions: { url: (_ctx, interaction) => `${INTERACTION_PATH}${interaction.uid}` },
    findAccount: (_ctx, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, email: `${accountId}@example.com` }),
    }),
    clientBasedCORS: () => false,
    // What oidc-provider leaves to the operator, and strict providers check.
    assertJwtClientAuthClaimsAndHeader: async (_ctx, { iat, exp }, header, client) => {
      const now = Date.now() / 1000;
      if (Number(iat) > now) throw new errors.InvalidClientAuth('iat is in the future');
      if (Number(exp) > now + LONGEST_ASSERTION) throw new errors.InvalidClientAuth('exp is too far away');
      const { thumbprints } = parts.clients.get(client.clientId) ?? {};
      if (thumbprints && !thumbprints.includes(String(header['x5t#S256'])))
        throw new errors.InvalidClientAuth('the assertion names no certificate of the client');
    },
    renderError: (ctx, out) => {
      ctx.body = out;
    },
  });
}

function tokenRules({ clients, accessTokenSeconds }: ProviderParts): Configuration {
  return {
    rotateRefreshToken: (ctx) => clients.rotates(ctx.oidc.client?.clientId ?? ''),
    issueRefreshToken: (_ctx, _client, code) => code.scopes.has('offline_access'),
    ttl: {
      AccessToken: accessTokenSeconds,
      AuthorizationCode: 60,
      ClientCredentials: accessTokenSeconds,
      DeviceCode: 600,
      Grant: REQUEST_SECONDS,
      IdToken: 3_600,
      Interaction: 600,
      RefreshToken: REFRESH_TOKEN_SECONDS,
      Session: DAY_SECONDS,
    },
  };
}
