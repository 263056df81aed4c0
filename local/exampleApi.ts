import { once } from 'node:events';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { accepted } from './requests.ts';

/** An API that asks the authorization server about each token. */
export interface ExampleApi {
  readonly url: string;
  /** The number of responses by status. */
  readonly responses: ReadonlyMap<number, number>;
  /** The different tokens that the API accepted. */
  readonly tokens: ReadonlySet<string>;
  close(): Promise<void>;
}

/**
 * Starts an API for the examples, on a free port of this machine.
 * @param tls its key and certificate, PEM
 * @param resourceEndpoint of the authorization server that issued the tokens
 */
export async function startExampleApi(
  tls: { readonly key: string; readonly cert: string },
  resourceEndpoint: string,
): Promise<ExampleApi> {
  const responses = new Map<number, number>();
  const tokens = new Set<string>();
  const server = createServer(tls, async (request, response) => {
    const token = request.headers.authorization?.replace(/^Bearer /, '') ?? '';
    const status = (await accepted(token, { authorization: { resourceEndpoint } })) ? 200 : 401;
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

/** What an example needs to know of a stack, as the settings of its functions name it. */
interface StackSettings {
  readonly TOKEN_VAULT_URL: string;
  readonly IDENTITY_ENDPOINT: string;
  readonly IDENTITY_HEADER: string;
}

/**
 * The environment variables of an example: its three settings, those that the platform sets for a consumer in Azure, and the authorities to
 * trust here.
 * @param ca path of a PEM file
 */
export function exampleEnvironment(
  { TOKEN_VAULT_URL, IDENTITY_ENDPOINT, IDENTITY_HEADER }: StackSettings,
  connection: string,
  { url }: Pick<ExampleApi, 'url'>,
  ca: string,
): Record<string, string> {
  return {
    TOKEN_VAULT_URL,
    CONNECTION: connection,
    API_URL: url,
    // In Azure the platform sets the first two, and the deployment sets the third.
    IDENTITY_ENDPOINT,
    IDENTITY_HEADER,
    // The identity that the local token vault allows to read.
    AZURE_CLIENT_ID: 'consumer',
    // The local vault and the API have certificates of a local authority: for Node, .NET and Python.
    NODE_EXTRA_CA_CERTS: ca,
    SSL_CERT_FILE: ca,
    REQUESTS_CA_BUNDLE: ca,
    NO_PROXY: '127.0.0.1,localhost',
  };
}
