import { randomUUID } from 'node:crypto';
import { type FunctionRegistry, triggerOf } from './coreApi.ts';
import { fromRpcResponse, type PlainRequest, type PlainResponse, toRpcRequest } from './httpRpc.ts';
import type { RpcTypedData } from './rpc.ts';

/** Receives one line (or a message of several lines) for the user of the host. */
export type Log = (line: string) => void;

/** TimerInfo as the host serializes it for a schedule that runs more often than once a minute. The host keeps no status of those. */
const TIMER = JSON.stringify({ Schedule: { AdjustForDST: true }, ScheduleStatus: null, IsPastDue: false });

/** Runs one HTTP function as the host does, without a listener and without its route. */
export async function invokeHttp(
  registry: FunctionRegistry,
  name: string,
  request: PlainRequest,
  log: Log,
): Promise<PlainResponse> {
  return fromRpcResponse(await invokeFunction(registry, name, toRpcRequest(request), log));
}

/** Runs one timer function as the host does, regardless of its schedule. */
export async function invokeTimer(registry: FunctionRegistry, name: string, log: Log): Promise<void> {
  await invokeFunction(registry, name, { json: TIMER }, log);
}

/** The message of any thrown value, on one line. Only the message, because causes and stacks may contain secrets. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\p{Cc}+/gu, ' ');
}

/**
 * Runs one function with the data of its trigger, in the order of the real worker: arguments, handler, response. The
 * library `@azure/functions` converts them. If the handler throws, logs one line that names the function and rejects with that error.
 */
async function invokeFunction(
  registry: FunctionRegistry,
  name: string,
  data: RpcTypedData,
  log: Log,
): Promise<RpcTypedData | null | undefined> {
  const fn = registry.functions.get(name);
  if (fn === undefined) throw new Error(`No function is registered as "${name}".`);
  try {
    const model = registry.programmingModel().getInvocationModel({
      invocationId: randomUUID(),
      request: { inputData: [{ name: triggerOf(fn).bindingName, data }] },
      metadata: fn.metadata,
      log: (_level, _category, message) => log(message),
    });
    const { context, inputs } = await model.getArguments();
    const result = await model.invokeFunction(context, inputs, fn.callback);
    return (await model.getResponse(context, result)).returnValue;
  } catch (error) {
    log(`Function "${name}" failed: ${messageOf(error)}`);
    throw error;
  }
}
