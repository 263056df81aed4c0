import type { Configuration } from 'oidc-provider';

type DeviceFlow = NonNullable<NonNullable<Configuration['features']>['deviceFlow']>;

/** The three pages of the device flow (RFC 8628): the user enters the code, confirms it and is done. */
export const devicePages: Pick<
  DeviceFlow,
  'userCodeInputSource' | 'userCodeConfirmSource' | 'successSource'
> = {
  userCodeInputSource: async (ctx, form, _out, error) => {
    const why = error ? '<p id="error">The code is unknown, or the server refused it.</p>' : '';
    ctx.body = page('Enter the code', `${why}${form}<button form="op.deviceInputForm">Continue</button>`);
  },
  userCodeConfirmSource: async (ctx, form, _client, _device, userCode) => {
    const buttons =
      '<button id="continue" form="op.deviceConfirmForm">Continue</button> <button form="op.deviceConfirmForm" name="abort" value="yes">Cancel</button>';
    ctx.body = page('Is this the code on your screen?', `<p>${escaped(userCode)}</p>${form}${buttons}`);
  },
  successSource: async (ctx) => {
    ctx.body = page('Done', '<p id="done">Return to the terminal.</p>');
  },
};

/** Accepts any name and any password. */
export function signInPage(): string {
  return page(
    'Sign in',
    '<form method="post"><p><input name="account" value="local-user" autofocus> <input name="password" type="password" placeholder="any"></p><button id="sign-in">Sign in</button></form>',
  );
}

export function consentPage(clientId: string, scope: string): string {
  return page(
    'Consent',
    `<p>${escaped(clientId)} asks for ${escaped(scope)}.</p><form method="post"><button id="allow" name="answer" value="allow">Allow</button> <button id="deny" name="answer" value="deny">Deny</button></form>`,
  );
}

function page(title: string, body: string): string {
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${title}</title><h1>${title}</h1>${body}</html>`;
}

function escaped(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}
