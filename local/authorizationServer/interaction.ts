import type Provider from 'oidc-provider';
import { readBody } from '../requestBody.ts';
import type { ClientRegistry } from './clients.ts';
import { consentPage, signInPage } from './pages.ts';
import { INTERACTION_PATH } from './provider.ts';
import { ACCOUNT_ID } from './seed.ts';
import { LONGEST_FORM } from './tokenForm.ts';

type Middleware = Parameters<Provider['use']>[0];
type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** The pages of sign-in and consent, for clients whose user clicks. */
export function interactionPages(provider: Provider, clients: ClientRegistry): Middleware {
  return async (ctx, next) => {
    if (!ctx.path.startsWith(INTERACTION_PATH)) return next();
    const interaction = await provider.interactionDetails(ctx.req, ctx.res);
    const clientId = String(interaction.params.client_id);
    if (!clients.isInteractive(clientId)) return next();
    if (ctx.method !== 'POST') {
      const isSignIn = interaction.prompt.name === 'login';
      ctx.body = isSignIn ? signInPage() : consentPage(clientId, String(interaction.params.scope));
      return;
    }
    const answers = new URLSearchParams((await readBody(ctx.req, LONGEST_FORM))?.toString());
    ctx.redirect(
      await provider.interactionResult(ctx.req, ctx.res, await clicked(provider, interaction, answers)),
    );
    ctx.status = 303;
  };
}

async function clicked(provider: Provider, interaction: Interaction, answers: URLSearchParams) {
  if (interaction.prompt.name === 'login') return { login: { accountId: ACCOUNT_ID } };
  if (answers.get('answer') === 'allow')
    return { consent: { grantId: await grantRequestedConsent(provider, interaction) } };
  return { error: 'access_denied', error_description: 'The user pressed Deny.' };
}

/** Acts as the user at the browser: signs in and gives every consent, without a click. */
export function zeroClickInteraction(provider: Provider): Middleware {
  return async (ctx, next) => {
    if (!ctx.path.startsWith(INTERACTION_PATH)) return next();
    const interaction = await provider.interactionDetails(ctx.req, ctx.res);
    const result =
      interaction.prompt.name === 'login'
        ? { login: { accountId: ACCOUNT_ID } }
        : { consent: { grantId: await grantRequestedConsent(provider, interaction) } };
    const returnTo = await provider.interactionResult(ctx.req, ctx.res, result);
    ctx.redirect(returnTo);
    ctx.status = 303;
  };
}

async function grantRequestedConsent(provider: Provider, interaction: Interaction): Promise<string> {
  const grant = new provider.Grant({
    accountId: interaction.session?.accountId,
    clientId: String(interaction.params.client_id),
  });
  grant.addOIDCScope(String(interaction.params.scope));
  return grant.save();
}
