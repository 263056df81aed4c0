import { discoverServer } from '../../../lib/authorization/discover.ts';
import type { AuthorizationRequest } from '../../../lib/authorization/request.ts';
import { CAREFUL_BEHAVIOR } from '../../../lib/rotation/core/connection.ts';
import { CookieJar } from '../../../local/authorizationServer/cookieJar.ts';
import {
  type AuthorizationServer,
  type LocalClient,
  startAuthorizationServer,
} from '../../../local/authorizationServer/server.ts';

export const CLIENT: LocalClient = {
  clientId: 'desk',
  clientSecret: ['desk', 'client', 'secret', 'of', 'a', 'test'].join('-'),
  clientAuthentication: 'client_secret_basic',
  rotation: 'single_use',
  redirectUri: 'http://127.0.0.1/callback',
  interactive: true,
};

export function startServer(): Promise<AuthorizationServer> {
  return startAuthorizationServer({ clients: [CLIENT], accessTokenSeconds: 60 });
}

/** The request that the command line would send to the server. */
export async function requestTo(
  { issuer }: AuthorizationServer,
  more: Partial<AuthorizationRequest> = {},
): Promise<AuthorizationRequest> {
  const rules = { allowLoopbackHttp: true, signal: new AbortController().signal };
  return {
    server: await discoverServer({ issuer }, rules),
    clientId: CLIENT.clientId,
    clientSecret: CLIENT.clientSecret,
    clientAuthentication: CLIENT.clientAuthentication,
    parameters: { scope: 'openid offline_access', prompt: 'consent' },
    tokenParameters: {},
    behavior: CAREFUL_BEHAVIOR,
    ...rules,
    ...more,
  };
}

/**
 * A user with a browser: follows redirects, signs in and presses a button, up to the loopback redirect or a page without a
 * form.
 */
export class BrowserUser {
  readonly #jar = new CookieJar();

  /** @returns the last address of the browser */
  async visit(
    address: string,
    decision: 'allow' | 'deny' = 'allow',
    form?: Record<string, string>,
  ): Promise<URL> {
    let url = new URL(address);
    let body = form ? new URLSearchParams(form) : undefined;
    for (;;) {
      const response = await fetch(url, {
        method: body ? 'POST' : 'GET',
        redirect: 'manual',
        headers: { cookie: this.#jar.header() },
        body: body ?? null,
      });
      this.#jar.store(response.headers);
      const location = response.headers.get('location');
      const page = await response.text();
      body = undefined;
      if (location !== null) url = new URL(location, url);
      else if (page.includes('id="sign-in"')) body = new URLSearchParams({ password: 'any' });
      else if (page.includes('id="allow"')) body = new URLSearchParams({ answer: decision });
      else if (page.includes('op.deviceConfirmForm')) {
        const fields = [...page.matchAll(/name="(\w+)" value="([^"]*)"/g)];
        const all = Object.fromEntries(fields.map(([, name = '', value = '']) => [name, value]));
        const { abort: _abort, ...confirmed } = all;
        body = new URLSearchParams(confirmed);
      } else return url;
    }
  }

  /** Enters the code of the device flow. */
  async enter(address: string, userCode: string, decision: 'allow' | 'deny' = 'allow'): Promise<URL> {
    const response = await fetch(address, { headers: { cookie: this.#jar.header() } });
    this.#jar.store(response.headers);
    const xsrf = /name="xsrf" value="(\w+)"/.exec(await response.text())?.[1] ?? '';
    return this.visit(address, decision, { xsrf, user_code: userCode });
  }
}
