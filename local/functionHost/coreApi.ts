import Module from 'node:module';
import type { FunctionCallback, FunctionMetadata, ProgrammingModel, RpcBindingInfo } from './rpc.ts';

/** A function that an app registered, with the settings of its bindings (route, methods, schedule). */
export interface RegisteredFunction {
  readonly name: string;
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}

/** The functions and hooks that the app registered in this process. */
export interface FunctionRegistry {
  readonly functions: ReadonlyMap<string, RegisteredFunction>;
  /** The model that `@azure/functions` set. Throws if the app registered nothing. */
  programmingModel(): ProgrammingModel;
  /** Runs the appTerminate hooks one after the other, in the order of their registration. */
  terminate(): Promise<void>;
}

const CORE_MODULE = '@azure/functions-core';

let installed: FunctionRegistry | undefined;

/**
 * Provides the module `@azure/functions-core` to this process, as the Azure Functions worker does, and returns the registry
 * that it fills. Call it before the first use of `@azure/functions`, which otherwise stays in its test mode until the process
 * ends. A second call returns the same registry.
 */
export function installFunctionsCore(): FunctionRegistry {
  installed ??= install();
  return installed;
}

/** The trigger binding of a function, with the binding's name. */
export function triggerOf(fn: RegisteredFunction): RpcBindingInfo & { bindingName: string } {
  for (const [bindingName, binding] of Object.entries(fn.metadata.bindings)) {
    if (/trigger$/i.test(binding.type ?? '')) return { ...binding, bindingName };
  }
  throw new Error(`Function "${fn.name}" has no trigger; add one.`);
}

function install(): FunctionRegistry {
  const functions = new Map<string, RegisteredFunction>();
  const hooks: ((context: object) => unknown)[] = [];
  let model: ProgrammingModel | undefined;
  const core = {
    registerFunction(metadata: FunctionMetadata, callback: FunctionCallback) {
      const { name } = metadata;
      if (functions.has(name))
        throw new Error(`Function "${name}" is registered twice; names must be unique.`);
      functions.set(name, { name, metadata, callback });
    },
    registerHook(name: string, callback: (context: object) => unknown) {
      if (name !== 'appTerminate')
        throw new Error(`The local host does not support the hook ${name}; use appTerminate.`);
      hooks.push(callback);
    },
    setProgrammingModel(next: ProgrammingModel) {
      model = next;
    },
    log(_level: string, _category: string, message: string) {
      console.warn(message);
    },
  };
  // The worker does the same. `require` of every CommonJS module and of createRequire uses this function, so it also works for the
  // library when it is loaded from ESM, from CommonJS or from a bundle.
  Module.prototype.require = new Proxy(Module.prototype.require, {
    apply: (target, self, args) => (args[0] === CORE_MODULE ? core : Reflect.apply(target, self, args)),
  });
  return {
    functions,
    programmingModel() {
      if (model !== undefined) return model;
      throw new Error(
        'No function is registered. Call installFunctionsCore() before the first use of @azure/functions.',
      );
    },
    async terminate() {
      for (const hook of hooks) await hook({ hookData: {} });
    },
  };
}
