import { once } from 'node:events';
import { createServer as createPlainServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { Agent, type Dispatcher } from 'undici';
import { codeOf } from '../../../lib/oauth/exchange.ts';
import { clientOf, operationOf, type Service } from './operationOf.ts';

/** The moments of a request at which a hook can inject a fault. */
export type Moment = 'before_forwarding' | 'after_execution' | 'after_response';

/** A request on its way through a proxy. It contains no secret value and no token. */
export interface Passing {
  readonly service: Service;
  /** The action and its target: `put strict-refresh-token`, `renew strict`, `grant`. */
  readonly operation: string;
  /** The client that sends a token request; undefined for other requests. */
  readonly client?: string | undefined;
}

/** What the proxy does with a request, or with its response. */
export type Strike =
  /** The proxy cuts the connection: the request is lost before forwarding, the response is lost after execution. */
  | { readonly kind: 'lose' }
  /** The caller gets this response. Before forwarding, the service never receives the request. */
  | {
      readonly kind: 'answer';
      readonly status: number;
      readonly headers?: Record<string, string>;
      readonly body?: string;
    }
  /** The proxy cuts the connection immediately, and the service executes the request `ms` milliseconds later. Before forwarding only. */
  | { readonly kind: 'late'; readonly ms: number }
  /** Half of the response body arrives, then the proxy cuts the connection. After execution only. */
  | { readonly kind: 'truncate' }
  /** The response body arrives byte by byte, one every `everyMs` milliseconds. After execution only. */
  | { readonly kind: 'drip'; readonly everyMs: number }
  /** The response comes `ms` milliseconds late. After execution only. */
  | { readonly kind: 'wait'; readonly ms: number }
  /** An interim response that the client did not ask for comes before the response. After execution only. */
  | { readonly kind: 'continue' };

/** Called at every moment of every request. A pending promise delays that request only; undefined lets it pass. */
export type FaultHook = (
  passing: Passing,
  moment: Moment,
) => Strike | undefined | Promise<Strike | undefined>;

/** A proxy in front of one service. */
export interface FaultProxy {
  /** Scheme, host and port. */
  readonly origin: string;
  close(): Promise<void>;
}

/** Each is scheme, host and port. */
interface Ends {
  readonly target: string;
  /** Of the proxy. */
  readonly origin: string;
}

interface Received {
  readonly status: number;
  readonly headers: Record<string, string | string[]>;
  readonly body: Buffer;
}

/** These apply to one connection only (RFC 9110, section 7.6.1), or the proxy sets its own. */
const NOT_PASSED_ON = ['connection', 'keep-alive', 'transfer-encoding', 'upgrade', 'expect', 'host'];

/**
 * Starts a proxy on a free port of 127.0.0.1.
 * @param target origin of the service, plain HTTP
 * @param tls key and certificate, if the caller uses TLS
 */
export async function startFaultProxy(
  service: Service,
  target: string,
  hook: FaultHook,
  tls?: { readonly key: string; readonly cert: string },
): Promise<FaultProxy> {
  // The agent never reuses a connection to the service, and the server never closes an idle one. On a busy machine, a request
  // on a connection that is just closing would look like an injected fault.
  const agent = new Agent({ pipelining: 0 });
  const serve = (request: IncomingMessage, response: ServerResponse) => {
    const passage = new Passage(service, { target, origin: originOf() }, agent, hook, request, response);
    passage.run().catch((error) => {
      // A caller that closed the connection needs no response. Any other error is not an injected fault, so it is printed.
      if (!response.destroyed)
        console.error(`A fault proxy could not pass on ${request.url}: ${codeOf(error)}`);
      response.destroy();
    });
  };
  const server = tls ? createTlsServer(tls, serve) : createPlainServer(serve);
  const originOf = () => `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`;
  server.keepAliveTimeout = 0;
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    origin: originOf(),
    close: async () => {
      server.closeAllConnections();
      server.close();
      await agent.destroy();
    },
  };
}

/** One request and its response. */
class Passage {
  #passing: Passing;
  readonly #ends: Ends;
  readonly #agent: Agent;
  readonly #hook: FaultHook;
  readonly #request: IncomingMessage;
  readonly #response: ServerResponse;

  constructor(
    service: Service,
    ends: Ends,
    agent: Agent,
    hook: FaultHook,
    request: IncomingMessage,
    response: ServerResponse,
  ) {
    this.#passing = { service, operation: operationOf(service, request) };
    this.#ends = ends;
    this.#agent = agent;
    this.#hook = hook;
    this.#request = request;
    this.#response = response;
  }

  async run(): Promise<void> {
    const body = await buffer(this.#request);
    this.#passing = { ...this.#passing, client: clientOf(this.#passing.service, this.#request, body) };
    const before = await this.#hook(this.#passing, 'before_forwarding');
    if (before?.kind === 'late') {
      this.#response.destroy();
      await sleep(before.ms);
      await this.#forward(body);
      return;
    }
    if (before) return this.#strike(before, undefined);
    const received = await this.#forward(body);
    const after = await this.#hook(this.#passing, 'after_execution');
    if (after) return this.#strike(after, received);
    await this.#respond(received);
    await this.#hook(this.#passing, 'after_response');
  }

  async #forward(body: Buffer): Promise<Received> {
    const { method, url, headers } = this.#request;
    const {
      statusCode,
      headers: answered,
      body: stream,
    } = await this.#agent.request({
      origin: this.#ends.target,
      path: url ?? '/',
      method: method as Dispatcher.HttpMethod,
      headers: passedOn(headers),
      body: body.length > 0 ? body : null,
    });
    const received = Buffer.from(await stream.arrayBuffer());
    const passed = this.#asOwn(received);
    const length = passed.length === received.length ? {} : { 'content-length': String(passed.length) };
    return { status: statusCode, headers: { ...passedOn(answered), ...length }, body: passed };
  }

  /** If a response contains the service's address, as the link to a next page does, the caller must use this proxy instead. */
  #asOwn(body: Buffer): Buffer {
    const { target, origin } = this.#ends;
    return body.includes(target) ? Buffer.from(body.toString().replaceAll(target, origin)) : body;
  }

  async #strike(strike: Strike, received: Received | undefined): Promise<void> {
    if (strike.kind === 'answer') {
      const { status, headers = {}, body = '' } = strike;
      return this.#respond({ status, headers, body: Buffer.from(body) });
    }
    if (received && strike.kind === 'wait') {
      await sleep(strike.ms);
      return this.#respond(received);
    }
    if (received && strike.kind === 'continue') {
      this.#response.writeContinue();
      return this.#respond(received);
    }
    if (received && strike.kind === 'truncate') await this.#begin(received, received.body.length / 2, 0);
    if (received && strike.kind === 'drip') await this.#begin(received, received.body.length, strike.everyMs);
    this.#response.destroy();
  }

  async #respond({ status, headers, body }: Received): Promise<void> {
    const ended = once(this.#response, 'finish');
    this.#response.writeHead(status, headers).end(body);
    await ended;
  }

  /** Sends the first `bytes` bytes of the body. */
  async #begin({ status, headers, body }: Received, bytes: number, everyMs: number): Promise<void> {
    this.#response.writeHead(status, headers);
    const step = everyMs === 0 ? Math.max(1, Math.floor(bytes)) : 1;
    for (let sent = 0; sent < Math.floor(bytes) && !this.#response.destroyed; sent += step) {
      this.#response.write(body.subarray(sent, sent + step));
      await sleep(everyMs);
    }
  }
}

function passedOn(headers: NodeJS.Dict<string | string[]>): Record<string, string | string[]> {
  const kept = Object.entries(headers).filter(([name]) => !NOT_PASSED_ON.includes(name));
  return Object.fromEntries(kept) as Record<string, string | string[]>;
}
