import { readFile } from 'node:fs/promises';
import { type FunctionRegistry, installFunctionsCore } from './coreApi.ts';
import { type HttpListener, listen } from './httpListener.ts';
import { fromRpcResponse, type PlainRequest, type PlainResponse, toRpcRequest } from './httpRpc.ts';
import { failureLine, invokeFunction, type Log, messageOf } from './invoke.ts';
import { createRouter } from './routes.ts';
import { createTimers, type FunctionTimer } from './timers.ts';

/** What to run and how. */
export interface FunctionHostOptions {
  /** The module that registers the functions when it is imported. */
  readonly entry: URL;
  /** Its host.json; `extensions.http.routePrefix` is read ("api" where it is missing). */
  readonly hostJson: URL;
  /** 0 means any free port; undefined 7071, or any free one where that is taken. */
  readonly port: number | undefined;
  /** Settings for `%NAME%` in schedules. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Takes what functions log and how they fail. */
  log(line: string): void;
}

/** Running functions. */
export interface FunctionHost {
  /** Where the functions answer, without the route prefix and without a slash at the end. */
  readonly url: string;
  readonly registry: FunctionRegistry;
  /** The timer functions with their schedules and next runs. */
  readonly timers: ReadonlyMap<string, FunctionTimer>;
  /** Runs a timer function at once, after a run that is under way; rejects with what it threw. */
  runTimerNow(name: string): Promise<void>;
  /** Takes no more work, runs the appTerminate hooks and waits for what is running. A second call waits for the first. */
  close(): Promise<void>;
}

/**
 * Runs an app's Azure Functions in this process without Core Tools. As with Core Tools, function keys are not checked.
 */
export async function startFunctionHost(options: FunctionHostOptions): Promise<FunctionHost> {
  const { port, env, log } = options;
  const registry = installFunctionsCore();
  await import(/* @vite-ignore */ options.entry.href);

  const route = createRouter(registry, await readRoutePrefix(options.hostJson));
  const timers = createTimers(registry, env, (name, timer) => invokeFunction(registry, name, timer, log));
  await startApp(registry);
  const listener = await listen(port, route, (name, request) => invokeHttp(registry, name, request, log));
  for (const timer of timers) {
    timer.start();
    if (timer.runOnStartup) void timer.tick();
  }

  let closed: Promise<void> | undefined;
  return {
    url: listener.url,
    registry,
    timers: new Map(timers.map((timer) => [timer.name, timer])),
    runTimerNow: async (name) => findTimer(timers, name).runNow(),
    close: () => (closed ??= closeHost(registry, timers, listener, log)),
  };
}

/** Runs one HTTP function as the host does, without a listener and without its route. */
export async function invokeHttp(
  registry: FunctionRegistry,
  name: string,
  request: PlainRequest,
  log: Log,
): Promise<PlainResponse> {
  const { returnValue } = await invokeFunction(registry, name, toRpcRequest(request), log);
  try {
    return fromRpcResponse(returnValue);
  } catch (error) {
    log(failureLine(name, error));
    throw error;
  }
}

async function startApp(registry: FunctionRegistry): Promise<void> {
  await registry.runHooks('appStart');
  // Also ends the time in which the app may call app.setup().
  const capabilities = await registry.programmingModel().getCapabilities({});
  if (capabilities.HttpUri !== undefined) {
    throw new Error('The local host has no HTTP streaming; leave enableHttpStream out.');
  }
}

/**
 * The hooks run while invocations still do, as in the real worker: a hook that tells the app to drain shortens the wait.
 */
async function closeHost(
  registry: FunctionRegistry,
  timers: readonly FunctionTimer[],
  listener: HttpListener,
  log: Log,
): Promise<void> {
  const stopped = [...timers.map((timer) => timer.stop()), listener.close()];
  await registry
    .runHooks('appTerminate')
    .catch((error) => log(`An appTerminate hook failed: ${messageOf(error)}`));
  await Promise.all(stopped);
}

function findTimer(timers: readonly FunctionTimer[], name: string): FunctionTimer {
  const timer = timers.find((candidate) => candidate.name === name);
  if (timer === undefined) throw new Error(`No timer function is registered as "${name}".`);
  return timer;
}

async function readRoutePrefix(hostJson: URL): Promise<string> {
  const text = await readFile(hostJson, 'utf8');
  try {
    return JSON.parse(text).extensions?.http?.routePrefix ?? 'api';
  } catch (error) {
    throw new Error(`host.json is no JSON: ${messageOf(error)}`);
  }
}
