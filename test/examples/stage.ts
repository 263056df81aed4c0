import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { accepted } from '../../local/requests.ts';
import type { Servers } from '../../local/servers.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { nextToken } from '../faults/process/stage.ts';
import { localConnection } from '../support/localConnection.ts';

/** The connection whose token the examples use. A used refresh token stays valid for a minute, as at most providers. */
export const CONNECTION = localConnection('crm', {
  rotation: 'grace',
  graceSeconds: 60,
  clientAuthentication: 'client_secret_post',
});

/** An API that asks the authorization server about each token. */
interface Api {
  readonly url: string;
  /** The number of responses by status. */
  readonly responses: ReadonlyMap<number, number>;
  /** The different tokens that the API accepted. */
  readonly tokens: ReadonlySet<string>;
  close(): Promise<void>;
}

/** The environment in which the examples run. */
export interface ExampleStage {
  readonly stack: Stack;
  readonly api: Api;
  /** The environment variables of an example: those that the platform sets for a consumer in Azure, and the CA to trust here. */
  readonly environment: NodeJS.ProcessEnv;
  close(): Promise<void>;
}

/**
 * Starts the local stack with one connection and an API for its tokens, and waits for the first token.
 * @param stateFile by which the command line finds the stack
 */
export async function startStage(accessTokenSeconds?: number, stateFile?: string): Promise<ExampleStage> {
  const stack = await startStack({
    port: 0,
    onLine: () => {},
    connections: [CONNECTION],
    schedule: '* * * * * *',
    accessTokenSeconds,
    ...(stateFile && { stateFile }),
  });
  const api = await startApi(stack.servers);
  await nextToken(stack.servers, CONNECTION.name);
  return {
    stack,
    api,
    environment: { ...process.env, ...environmentOf(stack, api) },
    close: async () => {
      await api.close();
      await stack.close();
    },
  };
}

function environmentOf({ servers, data }: Stack, { url }: Api): NodeJS.ProcessEnv {
  const ca = data.file('ca.pem');
  return {
    TOKEN_VAULT_URL: servers.tokenVault.tlsUrl ?? '',
    CONNECTION: CONNECTION.name,
    API_URL: url,
    // In Azure the platform sets the first two, and the deployment sets the third.
    IDENTITY_ENDPOINT: servers.identity.url,
    IDENTITY_HEADER: servers.identity.header,
    // The identity that the local token vault allows to read.
    AZURE_CLIENT_ID: 'consumer',
    // The local vault and the API have certificates of a local authority: for Node, .NET and Python.
    NODE_EXTRA_CA_CERTS: ca,
    SSL_CERT_FILE: ca,
    REQUESTS_CA_BUNDLE: ca,
    NO_PROXY: '127.0.0.1,localhost',
  };
}

async function startApi(servers: Servers): Promise<Api> {
  const responses = new Map<number, number>();
  const tokens = new Set<string>();
  const server = createServer(servers.vaultTls, async (request, response) => {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    const status = (await accepted(token, servers)) ? 200 : 401;
    responses.set(status, (responses.get(status) ?? 0) + 1);
    if (status === 200) tokens.add(token);
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(status === 200 ? { hello: 'consumer' } : { error: 'invalid_token' }));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    responses,
    tokens,
    close: async () => {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}
