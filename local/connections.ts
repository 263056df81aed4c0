import type { LocalAuthentication } from './authorizationServer/types.ts';

/** One connection of the local stack: a client of the authorization server, and its entry in the rotator's connections file. */
export interface LocalConnection {
  readonly name: string;
  readonly rotation: 'single_use' | 'grace' | 'none';
  readonly graceSeconds?: number;
  readonly clientAuthentication: LocalAuthentication;
  /** With `private_key_jwt`, where the credential vault keeps the key. */
  readonly clientKey?: 'secret' | 'key' | 'certificate';
  /** Default: RS256 for a certificate, else ES256. */
  readonly algorithm?: 'RS256' | 'PS256' | 'ES256';
  /** The client secret is the empty string. */
  readonly emptyClientSecret?: true;
  /** Default: `refresh_token`. */
  readonly grant?: 'client_credentials';
  /** At first, the credential vault contains a wrong client secret, which an operator fixes. */
  readonly wrongSecret?: true;
  readonly description: string;
}

/** The lifetime of an access token in the local stack, in seconds: short, so that a user sees renewals. */
export const ACCESS_TOKEN_SECONDS = 30;

export const LOCAL_CONNECTIONS: readonly LocalConnection[] = [
  {
    name: 'demo-single-use',
    rotation: 'single_use',
    clientAuthentication: 'client_secret_basic',
    description: 'each refresh token works once; a second use revokes the token family',
  },
  {
    name: 'demo-grace',
    rotation: 'grace',
    graceSeconds: 60,
    clientAuthentication: 'client_secret_post',
    description: 'a used refresh token works for one more minute',
  },
  {
    name: 'demo-reusable',
    rotation: 'none',
    clientAuthentication: 'client_secret_post',
    description: 'the refresh token never changes',
  },
  {
    name: 'demo-wrong-secret',
    rotation: 'single_use',
    clientAuthentication: 'client_secret_basic',
    wrongSecret: true,
    description: 'its client secret is wrong until you fix it',
  },
];

/** The revocation endpoint of the local authorization server. */
export function revocationOf(tokenUri: string): string {
  return `${tokenUri}/revocation`;
}

/** The connections file of the local stack. */
export function connectionsFile(connections: readonly LocalConnection[], tokenUri: string): object {
  const entries = connections.map((connection) => {
    const { name, rotation, graceSeconds, clientAuthentication, clientKey, algorithm } = connection;
    const { grant, emptyClientSecret } = connection;
    const refreshTokenGrace = rotation === 'none' ? 'unlimited' : (graceSeconds ?? 0);
    const revocationUri = revocationOf(tokenUri);
    const entry = {
      tokenUri,
      clientAuthentication,
      ...(clientKey && { clientKey: { [clientKey]: `${name}-client-key`, ...(algorithm && { algorithm }) } }),
      ...(emptyClientSecret && { emptyClientSecret }),
    };
    return [name, grant ? { ...entry, grant } : { ...entry, revocationUri, refreshTokenGrace }];
  });
  return { connections: Object.fromEntries(entries) };
}
