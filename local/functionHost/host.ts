import { readFile } from 'node:fs/promises';
import { installFunctionsCore } from './coreApi.ts';
import { listen } from './httpListener.ts';
import { invokeHttp, invokeTimer, type Log, messageOf } from './invoke.ts';
import { createRouter } from './routes.ts';
import { createTimers } from './timers.ts';

/** What to run, and how. */
export interface FunctionHostOptions {
  /** The module that registers the functions when it is imported. */
  readonly entry: URL;
  /** The path of its host.json. The host reads `extensions.http.routePrefix` ("api" if it is missing). */
  readonly hostJson: URL;
  /** 0 means any free port. Undefined means 7071, or any free port if 7071 is in use. */
  readonly port: number | undefined;
  /** Settings for `%NAME%` in schedules. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Receives what functions log, and their failures. */
  readonly log: Log;
}

/** Running functions. */
export interface FunctionHost {
  /** Base URL of the functions, without the route prefix and without a slash at the end. */
  readonly url: string;
  /** Stops accepting requests, runs the appTerminate hooks and waits for running functions. A second call waits for the first. */
  close(): Promise<void>;
}

/**
 * Runs an app's Azure Functions in this process without Core Tools. It supports what the functions of this repository need: HTTP
 * and timer triggers, and the appTerminate hook. As with Core Tools, function keys are not checked.
 */
export async function startFunctionHost(options: FunctionHostOptions): Promise<FunctionHost> {
  const { port, env, log } = options;
  const registry = installFunctionsCore();
  await import(/* @vite-ignore */ options.entry.href);
  registry.programmingModel();
  const route = createRouter(registry, await readRoutePrefix(options.hostJson));
  const timers = createTimers(registry, env, (name) => invokeTimer(registry, name, log));
  const listener = await listen(port, route, (name, request) => invokeHttp(registry, name, request, log));
  for (const timer of timers) timer.start();

  let closed: Promise<void> | undefined;
  const close = async () => {
    const stopped = [...timers.map((timer) => timer.stop()), listener.close()];
    // As in the real worker, the hooks run while invocations still do: a hook that tells the app to drain shortens the wait.
    await registry.terminate().catch((error) => log(`An appTerminate hook failed: ${messageOf(error)}`));
    await Promise.all(stopped);
  };
  return { url: listener.url, close: () => (closed ??= close()) };
}

async function readRoutePrefix(hostJson: URL): Promise<string> {
  const text = await readFile(hostJson, 'utf8');
  try {
    return JSON.parse(text).extensions?.http?.routePrefix ?? 'api';
  } catch (error) {
    throw new Error(`host.json is not valid JSON: ${messageOf(error)}`);
  }
}
