import { LOCAL_CONNECTIONS, type LocalConnection } from './connections.ts';
import { type DataDirectory, openDataDirectory } from './dataDirectory.ts';
import { environmentOf } from './environment.ts';
import { type HostProcess, startHostProcess } from './hostProcess.ts';
import { seedConnections } from './seed.ts';
import { CLI_CLIENT_ID, type Servers, startServers } from './servers.ts';
import { removeState, writeState } from './stateFile.ts';

/** Options for starting the stack. */
export interface StackOptions {
  /** The directory that is kept for the next start. Undefined: the stack keeps nothing. */
  readonly dataDirectory?: string | undefined;
  /** Port of the function host. 0 means any free port. Default: 7071, or any free port if 7071 is in use. */
  readonly port?: number | undefined;
  /** Receives each line that the functions print. */
  readonly onLine: (line: string) => void;
  readonly connections?: readonly LocalConnection[];
  /** Six-field NCRONTAB; default every 5 s. */
  readonly schedule?: string | undefined;
  /** The lifetime of an access token in seconds; default 30. */
  readonly accessTokenSeconds?: number | undefined;
  /** The first rotations come as soon as the functions run, instead of with the schedule. */
  readonly sweepImmediately?: true;
  /** The state file by which the command line finds this stack. Undefined: it does not find the stack. */
  readonly stateFile?: string;
  /** Cancels the start: everything that was started is closed, and the promise rejects with the signal's reason. */
  readonly signal?: AbortSignal;
}

/** Everything that `npm start` brings up. */
export interface Stack {
  readonly servers: Servers;
  readonly data: DataDirectory;
  /** Whether the command line finds this stack with `--local`. It finds the first one that runs. */
  readonly isFoundLocally: boolean;
  /** The function host that runs now. */
  readonly host: HostProcess;
  /** Starts the function host again after it was killed. */
  restartHost(): Promise<void>;
  /** Stops the function host first, so that it can save the tokens that it received, then the servers. */
  close(): Promise<void>;
}

/** Starts the servers, obtains the first refresh tokens if they are missing, and starts the functions. */
export async function startStack(options: StackOptions): Promise<Stack> {
  const { connections = LOCAL_CONNECTIONS, dataDirectory, port, onLine, signal } = options;
  const data = await openDataDirectory(dataDirectory);
  let servers: Servers | undefined;
  try {
    signal?.throwIfAborted();
    servers = await startServers(connections, data, dataDirectory !== undefined, options.accessTokenSeconds);
    signal?.throwIfAborted();
    await seedConnections(connections, servers, data);
    signal?.throwIfAborted();
    const environment = await environmentOf(servers, data, connections, options.schedule);
    const startHost = () => startHostProcess(environment, port, onLine);
    const state = stateKeeper(servers, data, environment, options.stateFile);
    const stack = await describe(servers, data, startHost, state);
    if (options.sweepImmediately) void sweepNow(stack.host);
    return stack;
  } catch (error) {
    await servers?.close();
    await data.close();
    throw error;
  }
}

/** What is not rotated now is rotated by the schedule. */
async function sweepNow({ url }: HostProcess): Promise<void> {
  const response = await fetch(new URL('/api/rotate', url), { method: 'POST' }).catch(() => undefined);
  await response?.body?.cancel().catch(() => {});
}

async function describe(
  servers: Servers,
  data: DataDirectory,
  startHost: () => Promise<HostProcess>,
  state: ReturnType<typeof stateKeeper>,
): Promise<Stack> {
  let host = await startHost();
  const isFoundLocally = await state.write(host).catch(async (error: unknown) => {
    await host.stop();
    throw error;
  });
  return {
    servers,
    data,
    isFoundLocally,
    get host() {
      return host;
    },
    restartHost: async () => {
      host = await startHost();
      await state.write(host);
    },
    close: async () => {
      await state.remove();
      await host.stop();
      await servers.close();
      await data.close();
    },
  };
}

/** Makes the stack known to the command line, in a file that exists only while the stack runs. */
function stateKeeper(
  { authorization }: Servers,
  data: DataDirectory,
  environment: Record<string, string>,
  path: string | undefined,
) {
  const { issuer } = authorization;
  const clientSecretFile = data.file(`${CLI_CLIENT_ID}-client-secret.secret`);
  const state = { environment, authorization: { issuer, clientId: CLI_CLIENT_ID, clientSecretFile } };
  return {
    write: async ({ url }: HostProcess) =>
      path !== undefined && (await writeState(path, { processId: process.pid, hostUrl: url, ...state })),
    remove: async () => {
      if (path !== undefined) await removeState(path, process.pid);
    },
  };
}
