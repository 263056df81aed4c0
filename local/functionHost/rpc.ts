/**
 * The part of `@azure/functions-core` that `@azure/functions` and this host exchange. The real module is injected by the
 * Azure Functions worker and its types are on no registry, so they are written down here.
 */

/** A value on its way between host and worker; one member is set. */
export interface RpcTypedData {
  string?: string | null;
  json?: string | null;
  bytes?: Uint8Array | null;
  stream?: Uint8Array | null;
  int?: number | null;
  double?: number | null;
  http?: RpcHttpData | null;
}

/** A mapping the way the host sends it to a worker with the capability UseNullableValueDictionaryForHttp. */
export type RpcNullableStrings = Record<string, { value: string }>;

/** An HTTP request (url, method, nullable*) or the answer to one (statusCode, headers, cookies). */
export interface RpcHttpData {
  method?: string;
  url?: string;
  nullableHeaders?: RpcNullableStrings;
  nullableParams?: RpcNullableStrings;
  nullableQuery?: RpcNullableStrings;
  statusCode?: string;
  headers?: Record<string, string>;
  cookies?: readonly object[];
  body?: RpcTypedData | null;
}

/** A binding as registered: the trigger (httpTrigger, timerTrigger), other inputs, outputs. */
export interface RpcBindingInfo {
  type?: string;
  direction?: 'in' | 'out' | 'inout';
  authLevel?: string;
  route?: string;
  methods?: readonly string[];
  schedule?: string;
  runOnStartup?: boolean;
  useMonitor?: boolean;
}

/** What `app.http` and `app.timer` hand to the worker. */
export interface FunctionMetadata {
  name: string;
  bindings: Record<string, RpcBindingInfo>;
  retryOptions?: object | undefined;
}

/** The handler, called with the inputs and the invocation context. */
export type FunctionCallback = (...args: unknown[]) => unknown;

/** One invocation as the host asks for it. */
export interface RpcInvocationRequest {
  invocationId: string;
  inputData: readonly { name: string; data: RpcTypedData }[];
  traceContext: { traceParent: string; traceState: string; attributes: Record<string, string> };
}

/** The answer to one invocation. */
export interface RpcInvocationResponse {
  invocationId: string;
  returnValue?: RpcTypedData | null;
  outputData?: readonly { name: string; data: RpcTypedData }[];
}

export type RpcLogLevel = 'trace' | 'debug' | 'information' | 'warning' | 'error' | 'critical' | 'none';
export type RpcLogCategory = 'user' | 'system' | 'customMetric';

/** What the worker gives the library for one invocation. */
export interface CoreInvocationContext {
  invocationId: string;
  request: RpcInvocationRequest;
  metadata: FunctionMetadata;
  state: 'preInvocationHooks' | 'invocation' | 'postInvocationHooks' | undefined;
  log(level: RpcLogLevel, category: RpcLogCategory, message: string): void;
}

/** The library's side of one invocation. */
export interface InvocationModel {
  getArguments(): Promise<{ context: unknown; inputs: unknown[] }>;
  invokeFunction(context: unknown, inputs: unknown[], callback: FunctionCallback): Promise<unknown>;
  getResponse(context: unknown, result: unknown): Promise<RpcInvocationResponse>;
}

/** What the library hands to the worker at the first registration. */
export interface ProgrammingModel {
  name: string;
  version: string;
  getInvocationModel(context: CoreInvocationContext): InvocationModel;
  getCapabilities(capabilities: Record<string, string>): Promise<Record<string, string>>;
}
