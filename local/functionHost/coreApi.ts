import Module, { createRequire } from 'node:module';
import type { FunctionCallback, FunctionMetadata, ProgrammingModel, RpcBindingInfo } from './rpc.ts';

/** A function that an app registered, with everything its bindings say (authLevel, route, methods, schedule). */
export interface RegisteredFunction {
  readonly name: string;
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}

/** The hooks that an app can register. */
export type HookName = 'appStart' | 'appTerminate' | 'preInvocation' | 'postInvocation' | 'log';

/** What the app registered in this process. */
export interface FunctionRegistry {
  readonly functions: ReadonlyMap<string, RegisteredFunction>;
  /** The model that `@azure/functions` set; throws where nothing was registered. */
  programmingModel(): ProgrammingModel;
  /** Runs the hooks of that name one after the other, in the order of their registration. */
  runHooks(name: HookName, context?: object): Promise<void>;
  /** Runs the synchronous log hooks; they may change level and message of the entry. */
  runLogHooks(entry: object): void;
}

type HookCallback = (context: object) => unknown;

const CORE_MODULE = '@azure/functions-core';
const HOOK_NAMES: readonly string[] = ['appStart', 'appTerminate', 'preInvocation', 'postInvocation', 'log'];
// A symbol of the whole process: a second copy of this module (a test runner makes them) finds the first one's registry.
const REGISTRY = Symbol.for('key-vault-token-rotator.functionRegistry');

/** The exports of `@azure/functions-core` that the library uses. */
interface CoreModule {
  readonly [REGISTRY]: FunctionRegistry;
  readonly version: string;
  readonly hostVersion: string;
  readonly Disposable: typeof CoreDisposable;
  registerHook(name: string, callback: HookCallback): CoreDisposable;
  registerFunction(metadata: FunctionMetadata, callback: FunctionCallback): CoreDisposable;
  setProgrammingModel(model: ProgrammingModel): void;
  getProgrammingModel(): ProgrammingModel | undefined;
  log(level: string, category: string, message: string): void;
}

/** `Disposable` of the worker's API: undoes a registration. */
class CoreDisposable {
  readonly #undo: () => void;
  constructor(undo: () => void) {
    this.#undo = undo;
  }
  dispose(): void {
    this.#undo();
  }
}

/**
 * Provides the module `@azure/functions-core` to this process, as the Azure Functions worker does, and returns what gets
 * registered through it. Call it before the first use of `@azure/functions`, which otherwise stays in its test mode for the
 * life of the process. A second call returns the same registry.
 */
export function installFunctionsCore(): FunctionRegistry {
  const installed = installedRegistry();
  if (installed !== undefined) return installed;
  const core = createCore();
  // The worker's own way. `require` of every CommonJS module and of createRequire ends here, so that it holds for the
  // library loaded from ESM, from CommonJS and from a bundle.
  Module.prototype.require = new Proxy(Module.prototype.require, {
    apply: (target, self, args) => (args[0] === CORE_MODULE ? core : Reflect.apply(target, self, args)),
  });
  return core[REGISTRY];
}

/** The trigger binding of a function, with the binding's name. */
export function triggerOf(fn: RegisteredFunction): RpcBindingInfo & { bindingName: string } {
  for (const [bindingName, binding] of Object.entries(fn.metadata.bindings)) {
    if (/trigger$/i.test(binding.type ?? '')) return { ...binding, bindingName };
  }
  throw new Error(`Function "${fn.name}" has no trigger.`);
}

function installedRegistry(): FunctionRegistry | undefined {
  let core: Partial<CoreModule>;
  try {
    core = createRequire(import.meta.url)(CORE_MODULE);
  } catch {
    return undefined;
  }
  const registry = core[REGISTRY];
  if (registry === undefined) throw new Error(`${CORE_MODULE} is already provided by another host.`);
  return registry;
}

function createCore(): CoreModule {
  const functions = new Map<string, RegisteredFunction>();
  const hooks = new Map<string, HookCallback[]>();
  let model: ProgrammingModel | undefined;
  return {
    version: '0.0.0-local',
    hostVersion: '4.0.0-local',
    Disposable: CoreDisposable,
    registerHook: (name, callback) => registerHook(hooks, name, callback),
    registerFunction: (metadata, callback) => register(functions, metadata, callback),
    setProgrammingModel: (next) => {
      model = next;
    },
    getProgrammingModel: () => model,
    log: logOutsideInvocation,
    [REGISTRY]: createRegistry(functions, hooks, () => model),
  };
}

function createRegistry(
  functions: ReadonlyMap<string, RegisteredFunction>,
  hooks: ReadonlyMap<string, HookCallback[]>,
  model: () => ProgrammingModel | undefined,
): FunctionRegistry {
  const hookData = {};
  return {
    functions,
    programmingModel() {
      const current = model();
      if (current !== undefined) return current;
      throw new Error('No function is registered: @azure/functions was used before installFunctionsCore().');
    },
    async runHooks(name, context = { hookData }) {
      for (const callback of hooks.get(name) ?? []) await callback(context);
    },
    runLogHooks(entry) {
      for (const callback of hooks.get('log') ?? []) callback(entry);
    },
  };
}

function register(
  functions: Map<string, RegisteredFunction>,
  metadata: FunctionMetadata,
  callback: FunctionCallback,
): CoreDisposable {
  const { name } = metadata;
  if (functions.has(name)) throw new Error(`Function "${name}" is registered twice; names must be unique.`);
  functions.set(name, { name, metadata, callback });
  return new CoreDisposable(() => functions.delete(name));
}

function registerHook(
  hooks: Map<string, HookCallback[]>,
  name: string,
  callback: HookCallback,
): CoreDisposable {
  if (!HOOK_NAMES.includes(name)) throw new RangeError(`Unrecognized hook "${name}".`);
  const list = hooks.get(name) ?? [];
  hooks.set(name, list);
  list.push(callback);
  return new CoreDisposable(() => {
    const index = list.indexOf(callback);
    if (index >= 0) list.splice(index, 1);
  });
}

/** The library's own messages outside an invocation; the host shows them from "warning" up. */
function logOutsideInvocation(level: string, _category: string, message: string): void {
  if (level === 'warning' || level === 'error' || level === 'critical') console.warn(message);
}
