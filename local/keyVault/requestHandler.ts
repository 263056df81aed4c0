import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { readBody } from '../requestBody.ts';
import { bearerTokenOf, challenge, requireRight } from './access.ts';
import { badParameter, responseOf } from './errors.ts';
import { baseUrlOf, sendResponse } from './http.ts';
import type { KeyStore } from './keyStore.ts';
import { executeOperation } from './operations.ts';
import type { Persistence } from './persistence.ts';
import { type OpenRecord, openRecord } from './recording.ts';
import { matchRoute, type Route, requireApiVersion } from './routing.ts';
import { createThrottle } from './throttle.ts';
import type {
  FaultDecision,
  InterceptHook,
  KeyVaultOptions,
  VaultPolicies,
  VaultResponse,
  VaultRight,
} from './types.ts';
import type { VaultStore } from './vaultStore.ts';

/** The largest valid request (the largest value with every byte escaped, and full tags) is well below this. */
const MAX_BODY_BYTES = 512 * 1024;

interface HandlerParts {
  readonly options: KeyVaultOptions;
  readonly store: VaultStore;
  readonly keys: KeyStore;
  readonly persistence: Persistence | undefined;
  readonly state: {
    readonly closed: boolean;
    readonly hook: InterceptHook | undefined;
    readonly policies: VaultPolicies;
  };
}

interface Call {
  readonly route: Route;
  readonly base: string;
  readonly rights: readonly VaultRight[];
  /** Undefined if it is too large. */
  readonly body: Buffer | undefined;
  readonly record: OpenRecord;
}

/** Makes the handler for both listeners, and the list in which it records requests. */
export function createRequestHandler({ options, store, keys, persistence, state }: HandlerParts) {
  const now = options.now ?? Date.now;
  const requests: OpenRecord[] = [];
  const secondsToWait = createThrottle(options.limits?.newVersionsPer10Seconds, now);

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const token = bearerTokenOf(request.headers.authorization);
    const rights = token === undefined ? undefined : options.authorize(token);
    if (token === undefined || rights === undefined) {
      return sendResponse(request, response, challenge(token !== undefined));
    }
    const method = request.method ?? '';
    const route = matchRoute(method, request.url ?? '');
    const record = openRecord(method, route, options.identify?.(token));
    requests.push(record);
    const body = await readBody(request, MAX_BODY_BYTES);
    const call = { route, base: baseUrlOf(request), rights, body, record };
    const vaultResponse = await decide(call).catch(responseOf);
    if (vaultResponse === 'destroy') return void response.destroy();
    record.status = vaultResponse.status;
    sendResponse(request, response, vaultResponse);
  }

  async function decide(call: Call): Promise<VaultResponse | 'destroy'> {
    const decision = await state.hook?.(describe(call.record));
    if (decision?.kind === 'answerInstead') return decision.answer;
    // If the vault was closed while a hook waited, nothing may change any more.
    if (decision?.kind === 'destroyBefore' || state.closed) return 'destroy';
    return applyFault(decision, await execute(call));
  }

  async function execute(call: Call): Promise<VaultResponse> {
    const before = store.revision;
    try {
      const response = perform(call);
      call.record.executed = true;
      // Responds only after the write to disk: a change that the vault confirmed to a caller survives a kill.
      if (store.revision !== before) await persistence?.save();
      return response;
    } catch (error) {
      return responseOf(error);
    }
  }

  function perform({ route, base, rights, body }: Call): VaultResponse {
    requireApiVersion(route.query);
    if (route.problem) throw route.problem;
    requireRight(options.name, route, rights);
    if (!body) throw badParameter(`The request body is larger than ${MAX_BODY_BYTES} bytes.`);
    const at = Math.floor(now() / 1000);
    const { policies } = state;
    return executeOperation({ store, keys, route, base, body, at, policies, newVersionId, secondsToWait });
  }

  return { handle, requests };
}

async function applyFault(
  decision: Exclude<FaultDecision, { kind: 'answerInstead' | 'destroyBefore' }> | undefined,
  real: VaultResponse,
): Promise<VaultResponse | 'destroy'> {
  if (decision === undefined) return real;
  if (decision.kind === 'executeThenDestroy') return 'destroy';
  return typeof decision.answer === 'function' ? decision.answer(real) : decision.answer;
}

function describe({ status: _status, executed: _executed, ...request }: OpenRecord) {
  return request;
}

export function newVersionId(): string {
  return randomBytes(16).toString('hex');
}
