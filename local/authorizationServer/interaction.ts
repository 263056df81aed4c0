import type Provider from 'oidc-provider';
import { INTERACTION_PATH } from './provider.ts';
import { ACCOUNT_ID } from './seed.ts';

type Middleware = Parameters<Provider['use']>[0];
type Interaction = Awaited<ReturnType<Provider['interactionDetails']>>;

/** Stands for the person at the browser: logs in and consents to whatever is asked, without a click. */
export function zeroClickInteraction(provider: Provider): Middleware {
  return async (ctx, next) => {
    if (!ctx.path.startsWith(INTERACTION_PATH)) return next();
    const interaction = await provider.interactionDetails(ctx.req, ctx.res);
    const result =
      interaction.prompt.name === 'login'
        ? { login: { accountId: ACCOUNT_ID } }
        : { consent: { grantId: await grantWhatIsAsked(provider, interaction) } };
    const returnTo = await provider.interactionResult(ctx.req, ctx.res, result);
    ctx.redirect(returnTo);
    ctx.status = 303;
  };
}

async function grantWhatIsAsked(provider: Provider, interaction: Interaction): Promise<string> {
  const grant = new provider.Grant({
    accountId: interaction.session?.accountId,
    clientId: String(interaction.params.client_id),
  });
  grant.addOIDCScope(String(interaction.params.scope));
  return grant.save();
}
