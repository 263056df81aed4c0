import { Readable } from 'node:stream';
import type Provider from 'oidc-provider';
import { readBody } from '../requestBody.ts';
import { isTranslated, rawClientId, translateProof } from './clientProof.ts';
import type { ClientRegistry } from './clients.ts';
import { claimedClientId, LONGEST_FORM } from './tokenForm.ts';
import type { OpenTokenRequest, TokenRequestLog } from './tokenRequestLog.ts';
import type { ExecutedResponse, HookResponse, Interception, InterceptionHook, RawWriter } from './types.ts';

type Middleware = Parameters<Provider['use']>[0];
type Context = Parameters<Middleware>[0];
type Execute = () => Promise<ExecutedResponse>;

/** What the observation of the token endpoint needs. */
export interface TokenEndpointParts {
  path: string;
  clients: ClientRegistry;
  now: () => number;
  log: TokenRequestLog;
  issued: Set<string>;
  hook: () => InterceptionHook | undefined;
}

/** Records each token request and applies the decision of the hook to it. */
export function watchTokenEndpoint(parts: TokenEndpointParts): Middleware {
  return async (ctx, next) => {
    if (ctx.method !== 'POST' || ctx.path !== parts.path) return next();
    const request = ctx.req;
    const body = await readBody(request, LONGEST_FORM);
    if (!body) return ctx.throw(413);
    const form = new URLSearchParams(body.toString());
    const { authorization } = request.headers;
    const client =
      parts.clients.get(rawClientId(authorization)) ??
      parts.clients.get(claimedClientId(authorization, form));
    const clientId = client?.clientId ?? claimedClientId(authorization, form);
    const shown = new URLSearchParams(form);
    if (client && isTranslated(client)) translateProof(client, request.headers, form, parts.now());
    // The provider reads the body from ctx.req, which has already ended. It uses nothing else of ctx.req here.
    const translated = client && isTranslated(client) ? Buffer.from(form.toString()) : body;
    request.headers['content-length'] = String(translated.length);
    ctx.req = Readable.from(translated) as Context['req'];

    const grantType = form.get('grant_type') ?? undefined;
    const entry = parts.log.begin(clientId, grantType);
    const { number } = entry;
    const execute = async () => {
      entry.executing();
      await next();
      return executedResponse(ctx, parts.issued);
    };
    try {
      const hooked = parts.hook()?.({ clientId, grantType, number, headers: request.headers, form: shown });
      await carryOut((await hooked) ?? { action: 'execute' }, ctx, execute, entry);
      // Before the response leaves: the client may send its next request as soon as it has this response.
      entry.end(ctx.status);
    } catch (error) {
      entry.end(500);
      throw error;
    }
  };
}

async function carryOut(
  decision: Interception,
  ctx: Context,
  execute: Execute,
  entry: OpenTokenRequest,
): Promise<void> {
  switch (decision.action) {
    case 'execute':
      await execute();
      return;
    case 'answer':
      setResponse(ctx, decision.answer);
      return;
    case 'destroy':
      entry.end(undefined);
      destroy(ctx);
      return;
    case 'execute_then_destroy':
      entry.end((await execute()).status);
      destroy(ctx);
      return;
    case 'execute_then_alter':
      setResponse(ctx, await decision.alter(await execute()));
      return;
    case 'take_over':
      await takeOver(ctx, decision.write, decision.execute ? await execute() : undefined);
      return;
  }
}

function executedResponse(ctx: Context, issued: Set<string>): ExecutedResponse {
  const body = ctx.body as Record<string, unknown>;
  if (typeof body.id_token === 'string') issued.add(body.id_token);
  return { status: ctx.status, body };
}

function setResponse(ctx: Context, { status, headers = {}, body, contentType }: HookResponse): void {
  ctx.status = status;
  ctx.body = typeof body === 'string' || Buffer.isBuffer(body) ? body : JSON.stringify(body);
  if (contentType === null) ctx.remove('content-type');
  else ctx.set('content-type', contentType ?? 'application/json; charset=utf-8');
  // Last, so that a hook can send a wrong length or encoding.
  ctx.set(headers);
}

function destroy(ctx: Context): void {
  ctx.respond = false;
  ctx.request.req.socket.destroy();
}

async function takeOver(
  ctx: Context,
  write: RawWriter,
  executed: ExecutedResponse | undefined,
): Promise<void> {
  ctx.respond = false;
  for (const name of ctx.res.getHeaderNames()) ctx.res.removeHeader(name);
  ctx.res.statusCode = 200;
  await write(ctx.res, executed);
}
