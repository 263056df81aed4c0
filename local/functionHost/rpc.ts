/**
 * The part of `@azure/functions-core` that `@azure/functions` and this host exchange for HTTP and timer functions. The real
 * module is injected by the Azure Functions worker and its types are on no registry, so they are written down here.
 */

/** A value on its way between host and worker; one member is set. */
export interface RpcTypedData {
  json?: string;
  bytes?: Uint8Array;
  http?: RpcHttpData;
}

/** A mapping the way the host sends it to a worker with the capability UseNullableValueDictionaryForHttp. */
export type RpcNullableStrings = Record<string, { value: string }>;

/** An HTTP request (url, method, nullable*) or the answer to one (statusCode, headers). */
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

/** A binding as registered; of the bindings of a function one is its trigger. */
export interface RpcBindingInfo {
  type?: string;
  route?: string;
  methods?: readonly string[];
  schedule?: string;
}

/** What `app.http` and `app.timer` hand to the worker. */
export interface FunctionMetadata {
  name: string;
  bindings: Record<string, RpcBindingInfo>;
}

/** The handler, called with the inputs and the invocation context. */
export type FunctionCallback = (...args: unknown[]) => unknown;

/** What the worker gives the library for one invocation. */
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

/** What the library hands to the worker at the first registration. */
export interface ProgrammingModel {
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
}
