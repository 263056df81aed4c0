import { randomBytes, randomUUID } from 'node:crypto';
import { type FunctionRegistry, type RegisteredFunction, triggerOf } from './coreApi.ts';
import type {
  CoreInvocationContext,
  InvocationModel,
  RpcInvocationResponse,
  RpcLogCategory,
  RpcLogLevel,
  RpcTypedData,
} from './rpc.ts';

/** Takes one line (or a message of several) for the person who watches the host. */
export type Log = (line: string) => void;

/**
 * Runs one function with the data of its trigger, in the order of the real worker: arguments, preInvocation hooks, handler,
 * postInvocation hooks, response. The conversions are those of `@azure/functions`. Rejects with what the handler threw,
 * after one log line that names the function.
 */
export async function invokeFunction(
  registry: FunctionRegistry,
  name: string,
  triggerData: RpcTypedData,
  log: Log,
): Promise<RpcInvocationResponse> {
  const fn = registry.functions.get(name);
  if (fn === undefined) throw new Error(`No function is registered as "${name}".`);
  try {
    const core = createCoreContext(registry, fn, triggerData, log);
    return await runModel(registry, fn, core, registry.programmingModel().getInvocationModel(core));
  } catch (error) {
    log(failureLine(name, error));
    throw error;
  }
}

/** What is logged of an invocation that failed. */
export function failureLine(name: string, error: unknown): string {
  return `Function "${name}" failed: ${messageOf(error)}`;
}

/** The message of anything thrown, on one line. Only the message: causes and stacks may hold what must not be shown. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\p{Cc}+/gu, ' ');
}

async function runModel(
  registry: FunctionRegistry,
  fn: RegisteredFunction,
  core: CoreInvocationContext,
  model: InvocationModel,
): Promise<RpcInvocationResponse> {
  const { context, inputs } = await model.getArguments();
  const hookContext = { hookData: {}, invocationContext: context, inputs };
  const before = { ...hookContext, functionCallback: fn.callback };
  await inState(core, 'preInvocationHooks', () => registry.runHooks('preInvocation', before));

  // The hooks may have replaced the inputs, the handler, the result and the error.
  const after = { ...hookContext, inputs: before.inputs, result: null as unknown, error: null as unknown };
  try {
    after.result = await inState(core, 'invocation', () =>
      model.invokeFunction(context, before.inputs, before.functionCallback),
    );
  } catch (error) {
    // A handler may throw null or undefined; without an error object it would count as a success.
    after.error = error ?? new Error('Unknown error');
  }
  await inState(core, 'postInvocationHooks', () => registry.runHooks('postInvocation', after));
  if (after.error !== null && after.error !== undefined) throw after.error;
  return model.getResponse(context, after.result);
}

async function inState<T>(
  core: CoreInvocationContext,
  state: CoreInvocationContext['state'],
  run: () => Promise<T>,
): Promise<T> {
  core.state = state;
  try {
    return await run();
  } finally {
    core.state = undefined;
  }
}

function createCoreContext(
  registry: FunctionRegistry,
  fn: RegisteredFunction,
  data: RpcTypedData,
  log: Log,
): CoreInvocationContext {
  const invocationId = randomUUID();
  const traceParent = `00-${randomBytes(16).toString('hex')}-${randomBytes(8).toString('hex')}-01`;
  return {
    invocationId,
    request: {
      invocationId,
      inputData: [{ name: triggerOf(fn).bindingName, data }],
      traceContext: { traceParent, traceState: '', attributes: {} },
    },
    metadata: fn.metadata,
    state: undefined,
    log: (level, category, message) => writeLog(registry, log, { level, category, message }),
  };
}

/** Shows what the host shows by default: the function's lines from "information" up, the library's from "warning" up. */
function writeLog(
  registry: FunctionRegistry,
  log: Log,
  entry: { level: RpcLogLevel; category: RpcLogCategory; message: string },
): void {
  registry.runLogHooks(entry);
  const hidden: readonly RpcLogLevel[] =
    entry.category === 'user' ? ['trace', 'debug', 'none'] : ['trace', 'debug', 'information', 'none'];
  if (!hidden.includes(entry.level)) log(entry.message);
}
