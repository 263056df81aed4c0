import type { TokenCredential } from '@azure/core-auth';
import { type KeyVaultSecret, SecretClient } from '@azure/keyvault-secrets';
import { isLoopback } from '../loopback.ts';
import { TokenUnavailable } from './errors.ts';
import type { TokenTimes } from './freshness.ts';

/** Key Vault's rule for names: any other text would change the URL of the secret. */
const SECRET_NAME = /^[0-9A-Za-z-]{1,127}$/;
/** The content type that the rotator stores with the token; no secret with another one may be sent to an API. */
const CONTENT_TYPE = 'application/vnd.oauth.access-token';
/** For one look, sign-in and the client's retries included. */
const DEADLINE_MS = 10_000;
/** Enough for a lost response; the token in memory covers longer outages. */
const RETRIES = { maxRetries: 2, retryDelayInMs: 200, maxRetryDelayInMs: 1_000 };

/** An access token as it is in the vault. */
export interface PublishedToken extends TokenTimes {
  readonly token: string;
}

/** The safe part of an error of the SDK: everything else may contain the request and the token for the vault. */
interface SdkError {
  readonly name?: unknown;
  readonly details?: { readonly error?: { readonly innerError?: { readonly code?: unknown } } };
}

/**
 * Creates the function that reads the token once from its secret. Nothing is sent before the function is called.
 * @throws TypeError if the address, the name or the credential is not valid; the function throws TokenUnavailable only
 */
export function vaultToken(vaultUrl: string, secret: string, credential: TokenCredential) {
  checkOptions(vaultUrl, secret, credential);
  const client = new SecretClient(vaultUrl, credential, {
    // A vault on this machine sends the challenge of one in Azure, whose domain is not its own.
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
  // Node 20 has no URL.parse.
  if (!URL.canParse(vaultUrl) || new URL(vaultUrl).protocol !== 'https:') {
    throw new TypeError(`${JSON.stringify(vaultUrl)} is not a valid https address of a vault.`);
  }
  if (!SECRET_NAME.test(secret)) {
    throw new TypeError(
      `${JSON.stringify(secret)} is not a valid secret name: use 1 to 127 letters, digits and hyphens.`,
    );
  }
  // Otherwise the client would send requests without a token, and every look would end in an error that names no cause.
  if (typeof credential?.getToken !== 'function') {
    throw new TypeError(
      'The credential is missing: pass one, such as new DefaultAzureCredential() of @azure/identity.',
    );
  }
}

/** Some credentials ignore the signal, and later callers wait for the same call. */
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
      `The rotator did not publish the value of ${where} as an access token, so the reader does not return it.`,
      'Set connection to the name that the rotator uses, or secretName to the secret that the rotator publishes.',
    );
  }
  const expiresAt = expiresOn.getTime();
  return { token: value, issuedAt: (notBefore ?? createdOn)?.getTime() ?? expiresAt, expiresAt };
}

/** @param status of the last response; the client loses it if an error has no body */
function unavailable({ name, details }: SdkError, where: string, status = 0): TokenUnavailable {
  if (
    typeof name === 'string' &&
    /^(Aggregate)?AuthenticationError$|^CredentialUnavailableError$/.test(name)
  ) {
    return new TokenUnavailable(
      'sign_in_failed',
      `The credential returned no token for reading ${where}.`,
      'In Azure, assign the managed identity to the app and set its client id. On a developer machine, sign in with az login.',
    );
  }
  const disabled = status === 403 && details?.error?.innerError?.code === 'SecretDisabled';
  if (status === 404 || disabled) {
    return new TokenUnavailable(
      'token_not_published',
      `The rotator has published nothing yet: ${where} ${disabled ? 'is disabled' : 'does not exist'}.`,
      'Check the status of the connection at the rotator, and the name of the connection in this program.',
    );
  }
  if (status === 401 || status === 403) {
    return new TokenUnavailable(
      'vault_forbidden',
      `The vault does not let this program read ${where} (${status}).`,
      'Assign the role Key Vault Secrets User on the vault to its identity, and allow it through the firewall of the vault.',
    );
  }
  return new TokenUnavailable(
    'vault_unavailable',
    `Could not read ${where} (${status < 300 ? 'no response' : status}).`,
    'Wait. If it continues, check the address of the vault, DNS and the status of Azure.',
  );
}
