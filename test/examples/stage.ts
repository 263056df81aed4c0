import { type ExampleApi, exampleEnvironment, startExampleApi } from '../../local/exampleApi.ts';
import { type Stack, startStack } from '../../local/stack.ts';
import { nextToken } from '../faults/process/stage.ts';
import { localConnection } from '../support/localConnection.ts';

/** The connection whose token the examples use. A used refresh token stays valid for a minute, as at most providers. */
export const CONNECTION = localConnection('crm', {
  rotation: 'grace',
  graceSeconds: 60,
  clientAuthentication: 'client_secret_post',
});

/** The environment in which the examples run. */
export interface ExampleStage {
  readonly stack: Stack;
  readonly api: ExampleApi;
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
  const { tokenVault, identity, vaultTls, authorization } = stack.servers;
  const api = await startExampleApi(vaultTls, authorization.resourceEndpoint);
  const settings = {
    TOKEN_VAULT_URL: tokenVault.tlsUrl ?? '',
    IDENTITY_ENDPOINT: identity.url,
    IDENTITY_HEADER: identity.header,
  };
  const environment = exampleEnvironment(settings, CONNECTION.name, api, stack.data.file('ca.pem'));
  await nextToken(stack.servers, CONNECTION.name);
  return {
    stack,
    api,
    environment: { ...process.env, ...environment },
    close: async () => {
      await api.close();
      await stack.close();
    },
  };
}
