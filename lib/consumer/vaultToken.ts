import type { TokenCredential } from '@azure/identity';
import { type KeyVaultSecret, SecretClient } from '@azure/keyvault-secrets';
import { isLoopback } from '../loopback.ts';
import { TokenUnavailable } from './errors.ts';
import type { TokenTimes } from './freshness.ts';

/** Key Vault: anything else would ask for another address than that of a secret. */
const SECRET_NAME = /^[0-9A-Za-z-]{1,127}$/;
/** What the rotator writes beside the token; nothing else may be sent to an API as one. */
const CONTENT_TYPE = 'application/vnd.oauth.access-token';
/** For one look, sign-in and the client's retries included. */
const DEADLINE_MS = 10_000;
/** Enough for an answer that was lost on the way; a longer outage is what the held token is for. */
const RETRIES = { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 };

/** An access token as it stands in the vault. */
export interface PublishedToken extends TokenTimes {
  readonly token: string;
}

/** What is looked at in an error of the SDK: all else may hold the request and the token for the vault. */
interface SdkError {
  readonly name?: unknown;
  readonly details?: { readonly error?: { readonly innerError?: { readonly code?: unknown } } };
}

/**
 * Makes the function that reads the token once from its secret. Nothing is sent before it is called.
 * @throws TypeError where the address, the name or the credential is none; TokenUnavailable from the function, and nothing else
 */
export function vaultToken(vaultUrl: string, secret: string, credential: TokenCredential) {
  checkOptions(vaultUrl, secret, credential);
  const client = new SecretClient(vaultUrl, credential, {
    // A vault on this machine stands for one in Azure: its challenge names a domain that is not its own.
    disableChallengeResourceVerification: isLoopback(new URL(vaultUrl).hostname),
    retryOptions: RETRIES,
    redirectOptions: { maxRetries: 0 },
  });
  const where = `the secret ${secret} in ${vaultUrl}`;
  return async (): Promise<PublishedToken> => {
    let status: number | undefined;
    const onResponse = (seen: { status: number }) => {
      status = seen.status;
    };
    let answer: KeyVaultSecret;
    try {
      answer = await withDeadline((abortSignal) => client.getSecret(secret, { abortSignal, onResponse }));
    } catch (thrown) {
      throw unavailable((thrown ?? {}) as SdkError, where, status);
    }
    return publishedToken(answer, where);
  };
}

function checkOptions(vaultUrl: string, secret: string, credential: TokenCredential): void {
  // Node 20 knows no URL.parse.
  if (!URL.canParse(vaultUrl) || new URL(vaultUrl).protocol !== 'https:') {
    throw new TypeError(`A vault is read over https only; ${JSON.stringify(vaultUrl)} is no address of one.`);
  }
  if (!SECRET_NAME.test(secret)) {
    throw new TypeError(
      `${JSON.stringify(secret)} is no name of a secret: 1 to 127 letters, digits and hyphens.`,
    );
  }
  // Key Vault would be asked without a sign-in, and every look would end in an error that names no cause.
  if (typeof credential?.getToken !== 'function') {
    throw new TypeError('A credential is missing: new DefaultAzureCredential() of @azure/identity, for one.');
  }
}

/** Not every credential heeds the signal, and the next reader waits for the same call. */
async function withDeadline<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const passed = new Promise<never>((_, reject) => {
    signal.addEventListener('abort', () => reject(signal.reason), { once: true });
  });
  return Promise.race([work(signal), passed]);
}

function publishedToken({ value, properties }: KeyVaultSecret, where: string): PublishedToken {
  const { contentType, expiresOn, notBefore, createdOn } = properties;
  if (contentType !== CONTENT_TYPE || !expiresOn || !value) {
    throw new TokenUnavailable(
      'not_an_access_token',
      `What ${where} holds was not published by the rotator as an access token, so it is not handed out.`,
      'Name the connection as the rotator does, or under secretName the secret that the rotator publishes.',
    );
  }
  const expiresAt = expiresOn.getTime();
  return { token: value, issuedAt: (notBefore ?? createdOn)?.getTime() ?? expiresAt, expiresAt };
}

/** @param status the last answer's; the client forgets it where an error has no body */
function unavailable({ name, details }: SdkError, where: string, status = 0): TokenUnavailable {
  if (
    typeof name === 'string' &&
    /^(Aggregate)?AuthenticationError$|^CredentialUnavailableError$/.test(name)
  ) {
    return new TokenUnavailable(
      'sign_in_failed',
      `The credential gave no token for reading ${where}.`,
      'In Azure: assign the managed identity to the app and name its client id. On a desk: sign in with az login.',
    );
  }
  const disabled = status === 403 && details?.error?.innerError?.code === 'SecretDisabled';
  if (status === 404 || disabled) {
    return new TokenUnavailable(
      'token_not_published',
      `The rotator has published nothing yet: ${where} ${disabled ? 'is disabled' : 'does not exist'}.`,
      'See the status of the connection at the rotator, and whether its name is right here.',
    );
  }
  if (status === 401 || status === 403) {
    return new TokenUnavailable(
      'vault_forbidden',
      `This program may not read ${where} (${status}).`,
      'Give its identity the role Key Vault Secrets User on the vault, and let it through the firewall of the vault.',
    );
  }
  return new TokenUnavailable(
    'vault_unavailable',
    `It was not possible to read ${where} (${status < 300 ? 'no answer' : status}).`,
    "Nothing, if this passes; else check the vault's address, its name resolution and Azure's status.",
  );
}
