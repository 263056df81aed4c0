import type { AccessToken, TokenCredential } from '@azure/identity';
import { type Attempt, explainSignIn, type SignInContext, UNAVAILABLE, type Way } from './signInFailure.ts';

/** The identity endpoint is on the same host; retries must fit into the time limit of one storage request. */
const RETRIES = { maxRetries: 2, retryDelayInMs: 250 };

/** The identity of the rotator. `getToken` throws `SignInFailed`. */
export interface Identity extends TokenCredential {
  getToken(...args: Parameters<TokenCredential['getToken']>): Promise<AccessToken>;
  /** The way that gave the last token; undefined before the first one. */
  readonly signedInBy: Way | undefined;
}

/** Loaded at the first sign-in: it has more code than all functions, and not each command signs in. */
type Library = typeof import('@azure/identity');
type Source = readonly [way: Way, create: (library: Library) => TokenCredential];

/**
 * The credential for vaults and storage: with a managed identity endpoint, which App Service and Functions announce in
 * `IDENTITY_ENDPOINT`, the managed identity and nothing else; otherwise a service principal from the environment, or the user who is
 * signed in to one of the developer tools. Nothing is sent before the first call of `getToken`.
 */
export function createCredential(context: SignInContext): Identity {
  const { env, managedIdentityClientId } = context;
  const identity = managedIdentityClientId ? { clientId: managedIdentityClientId } : {};
  const sources: readonly Source[] =
    env.IDENTITY_ENDPOINT === undefined
      ? [
          ['environment', ({ EnvironmentCredential }) => new EnvironmentCredential()],
          ['az', ({ AzureCliCredential }) => new AzureCliCredential()],
          ['azd', ({ AzureDeveloperCliCredential }) => new AzureDeveloperCliCredential()],
          ['powershell', ({ AzurePowerShellCredential }) => new AzurePowerShellCredential()],
        ]
      : [
          [
            'identity',
            ({ ManagedIdentityCredential }) =>
              new ManagedIdentityCredential({ ...identity, retryOptions: RETRIES }),
          ],
        ];
  return new FirstThatWorks(sources, context);
}

/**
 * Tries each way in its order, as the library's ChainedTokenCredential does, and knows which of them failed and why. A credential is created when it
 * is first asked, because the constructors throw for settings that are not valid.
 */
class FirstThatWorks implements Identity {
  readonly #sources: readonly Source[];
  readonly #context: SignInContext;
  readonly #created = new Map<Way, TokenCredential>();
  #signedInBy: Way | undefined;

  constructor(sources: readonly Source[], context: SignInContext) {
    this.#sources = sources;
    this.#context = context;
  }

  get signedInBy(): Way | undefined {
    return this.#signedInBy;
  }

  async getToken(...args: Parameters<TokenCredential['getToken']>): Promise<AccessToken> {
    const library = await import('@azure/identity');
    const attempts: Attempt[] = [];
    for (const [way, create] of this.#sources) {
      try {
        const credential = this.#created.get(way) ?? create(library);
        this.#created.set(way, credential);
        const token = await credential.getToken(...args);
        if (!token) continue;
        this.#signedInBy = way;
        return token;
      } catch (thrown) {
        attempts.push({ way, thrown });
        // A way that is set up and refused is the one that was meant: the next one could be another identity.
        if (!isUnavailable(thrown)) break;
      }
    }
    throw explainSignIn(attempts, this.#context);
  }
}

function isUnavailable(thrown: unknown): boolean {
  const name = (thrown as Error | undefined)?.name;
  return name === UNAVAILABLE || name === 'AuthenticationRequiredError';
}
