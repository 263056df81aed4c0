import Module from 'node:module';
import type { FunctionCallback, FunctionMetadata, ProgrammingModel, RpcBindingInfo } from './rpc.ts';

/** A function that an app registered, with what its bindings say (route, methods, schedule). */
export interface RegisteredFunction {
  readonly name: string;
  readonly metadata: FunctionMetadata;
  readonly callback: FunctionCallback;
}

/** What the app registered in this process. */
export interface FunctionRegistry {
  readonly functions: ReadonlyMap<string, RegisteredFunction>;
  /** The model that `@azure/functions` set; throws where nothing was registered. */
  programmingModel(): ProgrammingModel;
  /** Runs the appTerminate hooks one after the other, in the order of their registration. */
  terminate(): Promise<void>;
}

const CORE_MODULE = '@azure/functions-core';

let installed: FunctionRegistry | undefined;

/**
 * Provides the module `@azure/functions-core` to this process, as the Azure Functions worker does, and returns what gets
 * registered through it. Call it before the first use of `@azure/functions`, which otherwise stays in its test mode for the
 * life of the process. A second call returns the same registry.
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
  throw new Error(`Function "${fn.name}" has no trigger.`);
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
      if (name !== 'appTerminate') throw new Error(`The local host has no hook ${name}, only appTerminate.`);
      hooks.push(callback);
    },
    setProgrammingModel(next: ProgrammingModel) {
      model = next;
    },
    log(_level: string, _category: string, message: string) {
      console.warn(message);
    },
  };
  // The worker's own way. `require` of every CommonJS module and of createRequire ends here, so that it holds for the
  // library loaded from ESM, from CommonJS and from a bundle.
  Module.prototype.require = new Proxy(Module.prototype.require, {
    apply: (target, self, args) => (args[0] === CORE_MODULE ? core : Reflect.apply(target, self, args)),
  });
  return {
    functions,
    programmingModel() {
      if (model !== undefined) return model;
      throw new Error('No function is registered: @azure/functions was used before installFunctionsCore().');
    },
    async terminate() {
      for (const hook of hooks) await hook({ hookData: {} });
    },
  };
}
