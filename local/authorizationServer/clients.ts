import type { AllClientMetadata, JWK } from 'oidc-provider';
import { INNER_SECRET, isTranslated } from './clientProof.ts';
import type { LocalClient } from './types.ts';

const DEVICE_GRANT = 'urn:ietf:params:oauth:grant-type:device_code';

/** The declared clients, by id; read at each request so that a secret can change while the server runs. */
export class ClientRegistry {
  readonly #clients = new Map<string, LocalClient>();

  constructor(clients: readonly LocalClient[]) {
    for (const client of clients) {
      if (this.#clients.has(client.clientId)) throw new Error(`client ${client.clientId} is declared twice`);
      if ((client.rotation === 'grace') !== (client.graceSeconds !== undefined)) {
        throw new Error(`client ${client.clientId}: set graceSeconds for rotation "grace" only`);
      }
      this.#clients.set(client.clientId, client);
    }
  }

  ids(): string[] {
    return [...this.#clients.keys()];
  }

  get(clientId: string | undefined): LocalClient | undefined {
    return this.#clients.get(clientId ?? '');
  }

  rotates(clientId: string): boolean {
    return this.#clients.get(clientId)?.rotation !== 'none';
  }

  isInteractive(clientId: string): boolean {
    return this.#clients.get(clientId)?.interactive === true;
  }

  graceMs(clientId: string | undefined): number {
    return (this.#clients.get(clientId ?? '')?.graceSeconds ?? 0) * 1000;
  }

  setSecret(clientId: string, clientSecret: string): void {
    const client = this.#clients.get(clientId);
    if (!client) throw new Error(`no client ${clientId}`);
    this.#clients.set(clientId, { ...client, clientSecret });
  }

  /** The client in the format of oidc-provider. */
  metadata(clientId: string): AllClientMetadata | undefined {
    const client = this.#clients.get(clientId);
    if (!client) return undefined;
    return {
      client_id: client.clientId,
      ...proofOf(client),
      redirect_uris: [client.redirectUri],
      grant_types: [
        'authorization_code',
        'refresh_token',
        DEVICE_GRANT,
        ...(client.clientCredentials ? ['client_credentials'] : []),
      ],
      // The server accepts any loopback port for native applications only (RFC 8252 section 7.3).
      application_type: 'native',
      response_types: ['code'],
      id_token_signed_response_alg: 'ES256',
    };
  }
}

/** What oidc-provider checks. It knows some methods only in the form into which `clientProof.ts` translates them. */
function proofOf(client: LocalClient): Partial<AllClientMetadata> {
  const { clientAuthentication, clientSecret, keys = [] } = client;
  if (isTranslated(client))
    return { client_secret: INNER_SECRET, token_endpoint_auth_method: 'client_secret_post' };
  if (clientAuthentication === 'none') return { token_endpoint_auth_method: clientAuthentication };
  if (clientAuthentication === 'private_key_jwt')
    return { token_endpoint_auth_method: clientAuthentication, jwks: { keys: [...keys] as JWK[] } };
  return {
    client_secret: clientSecret,
    token_endpoint_auth_method: clientAuthentication as 'client_secret_post',
  };
}
