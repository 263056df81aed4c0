/**
 * The part of `@azure/functions-core` that `@azure/functions` and this host exchange for HTTP and timer functions. The real
 * module is injected by the Azure Functions worker and its types are on no registry, so this file declares them.
 */

/** A value on its way between host and worker; exactly one member is set. */
export interface RpcTypedData {
  json?: string;
  bytes?: Uint8Array;
  http?: RpcHttpData;
}

/** A mapping in the format in which the host sends it to a worker with the capability UseNullableValueDictionaryForHttp. */
export type RpcNullableStrings = Record<string, { value: string }>;

/** An HTTP request (url, method, nullable*) or the response to one (statusCode, headers). */
export interface RpcHttpData {
  method?: string;
  url?: string;
  nullableHeaders?: RpcNullableStrings;
  nullableParams?: RpcNullableStrings;
  nullableQuery?: RpcNullableStrings;
  statusCode?: string;
  headers?: Record<string, string>;
  body?: RpcTypedData;
}

/** A registered binding. One of the bindings of a function is its trigger. */
export interface RpcBindingInfo {
  type?: string;
  route?: string;
  methods?: readonly string[];
  schedule?: string;
}

/** What `app.http` and `app.timer` pass to the worker. */
export interface FunctionMetadata {
  name: string;
  bindings: Record<string, RpcBindingInfo>;
}

/** The handler, called with the inputs and the invocation context. */
export type FunctionCallback = (...args: unknown[]) => unknown;

/** What the worker passes to the library for one invocation. */
interface CoreInvocationContext {
  invocationId: string;
  request: { inputData: readonly { name: string; data: RpcTypedData }[] };
  metadata: FunctionMetadata;
  log(level: string, category: string, message: string): void;
}

/** The library's side of one invocation. */
interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<{ returnValue?: RpcTypedData | null }>;
}

/** What the library passes to the worker at the first registration. */
export interface ProgrammingModel {
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
}
