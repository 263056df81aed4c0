import { RotatorError } from '../errors.ts';
import { EXCHANGE_AUDIENCE } from '../rotation/core/connection.ts';
import { createCredential } from './credential.ts';
import { type SignInContext, SignInFailed } from './signInFailure.ts';

/** Who the token is for at Entra ID in the public cloud: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-config-app-trust-managed-identity */
const AUDIENCE = 'api://AzureADTokenExchange';

/**
 * The token of the managed identity that another directory or application accepts as proof of a client's identity. It is cached until
 * shortly before its end.
 * @returns a function of the audience; it throws RotatorError `identity_unavailable`
 */
export function createFederatedToken(
  context: SignInContext,
): (audience: string | undefined) => Promise<string> {
  const credential = createCredential(context);
  return async (audience = AUDIENCE) => {
    if (!EXCHANGE_AUDIENCE.test(audience))
      throw unavailable(
        'the entry asks for a token for another service',
        `Set clientAssertionAudience to ${AUDIENCE}.`,
      );
    // A user who is signed in here would give a token that proves something else.
    if (context.env.IDENTITY_ENDPOINT === undefined)
      throw unavailable(
        'this process has no managed identity (IDENTITY_ENDPOINT is not set)',
        'Run the rotation in the function app: rotator rotate NAME --via URL. On this machine, no managed identity exists.',
      );
    try {
      return (await credential.getToken(`${audience}/.default`)).token;
    } catch (thrown) {
      if (thrown instanceof SignInFailed) throw unavailable(thrown.message, thrown.fix);
      throw unavailable('the endpoint of the managed identity failed', 'Restart the function app.');
    }
  };
}

function unavailable(why: string, fix: string): RotatorError {
  return new RotatorError({
    code: 'identity_unavailable',
    message: `The managed identity gave no token for the client assertion: ${why}.`,
    fix,
  });
}
