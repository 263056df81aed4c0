import type { HttpClient } from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';
import { type KeyVaultSecret, SecretClient } from '@azure/keyvault-secrets';
import { RotatorError } from '../errors.ts';
import type { Tags } from '../rotation/core/tags.ts';
import type { Secret, SecretProperties, SecretVault, SecretVersion } from '../rotation/ports.ts';
import { SECRET_NAME, SECRET_NAME_RULE } from '../secretNames.ts';
import { refuseTooLarge } from '../secretSize.ts';
import { withDeadline } from './deadline.ts';
import { createHttpClient } from './httpClient.ts';
import { refused, type VaultCall, vaultError } from './keyVaultErrors.ts';
import { PublishedValues } from './publishedValues.ts';
import type { SeenResponse } from './serviceFailure.ts';
import { copyOf } from './textCopy.ts';
import { isLocalVault, vaultPipeline } from './vaultPipeline.ts';

const TIMEOUT_MS = 10_000;
/** The client writes times as 32-bit seconds: later ones would wrap around into the past. */
const LATEST_TIME_MS = 0x7fffffff * 1000;

/** How a vault is used. */
export interface SecretVaultOptions {
  /** Longest time for one request, sign-in included, in milliseconds. Default 10 s. */
  readonly timeoutMs?: number;
  /** Sends the requests. Default: a client of its own. */
  readonly httpClient?: HttpClient;
  /** Called when the vault refuses a new version because there are too many, with the wait that it asks for, if any. */
  readonly onThrottledWrite?: (retryAfterMs: number | undefined) => void;
}

/**
 * The Key Vault at an address. Apart from reads whose connection was closed, nothing is retried here: the protocol has its own
 * retries, under a lease.
 *
 * With `skipIdentical`, a value that this process wrote last and that is still the latest makes no new version: its
 * properties are updated instead. (Providers may return the same access token until it expires, and versions can never
 * be deleted.)
 */
export function createSecretVault(
  url: string,
  credential: TokenCredential,
  options: SecretVaultOptions = {},
): SecretVault {
  return new KeyVaultSecrets(url, credential, options);
}

type Call = Omit<VaultCall, 'vaultUrl'>;

interface CallOptions {
  readonly abortSignal: AbortSignal;
  readonly onResponse: (answer: SeenResponse) => void;
}

class KeyVaultSecrets implements SecretVault {
  readonly #url: string;
  readonly #client: SecretClient;
  readonly #timeoutMs: number;
  readonly #onThrottledWrite: SecretVaultOptions['onThrottledWrite'];
  readonly #published = new PublishedValues();

  constructor(url: string, credential: TokenCredential, options: SecretVaultOptions) {
    const { timeoutMs = TIMEOUT_MS, httpClient = createHttpClient() } = options;
    this.#url = url;
    this.#timeoutMs = timeoutMs;
    this.#onThrottledWrite = options.onThrottledWrite;
    this.#client = new SecretClient(url, credential, {
      ...vaultPipeline(httpClient),
      disableChallengeResourceVerification: isLocalVault(url),
    });
  }

  async get(name: string, version?: string): Promise<Secret | undefined> {
    checkVersion(version);
    const found = await this.#call({ action: 'get', secret: name }, (options) =>
      this.#client.getSecret(name, { ...options, ...(version !== undefined && { version }) }),
    );
    return found && secretOf(found);
  }

  async put(name: string, value: string, properties: SecretProperties): Promise<SecretVersion> {
    refuseTooLarge(value, {
      code: 'vault_rejected',
      what: `The value for the secret ${name} in ${this.#url}`,
      fix: 'Configure the provider to issue smaller tokens, for example with fewer scopes or claims.',
    });
    const known = properties.skipIdentical && this.#published.versionOf(name, value);
    const updated = known && (await this.#updatePublished(name, known, properties));
    if (updated) return updated;
    const written = await this.#required({ action: 'set', secret: name, properties }, (options) =>
      this.#client.setSecret(name, value, { ...attributesOf(properties), ...options }),
    );
    const made = { ...versionOf(written.properties), tags: properties.tags };
    if (properties.skipIdentical) this.#published.remember(name, value, made.version);
    return made;
  }

  async tag(name: string, version: string, tags: Tags, expiresAt?: number): Promise<void> {
    checkVersion(version);
    const changes = attributesOf({ tags, ...(expiresAt !== undefined && { expiresAt }) });
    await this.#required({ action: 'update', secret: name }, (options) =>
      this.#client.updateSecretProperties(name, version, { ...options, ...changes }),
    );
  }

  async disable(name: string, version: string): Promise<void> {
    await this.#setEnabled(name, version, false);
  }

  async enable(name: string, version: string): Promise<void> {
    await this.#setEnabled(name, version, true);
  }

  /** A PATCH leaves unchanged what it does not name, including the tags (Update Secret, REST reference). */
  async #setEnabled(name: string, version: string, enabled: boolean): Promise<void> {
    checkVersion(version);
    await this.#required({ action: 'update', secret: name }, (options) =>
      this.#client.updateSecretProperties(name, version, { ...options, enabled }),
    );
  }

  async versions(name: string, enough = Number.POSITIVE_INFINITY): Promise<readonly SecretVersion[]> {
    const stop = new AbortController();
    const seen: SecretVersion[] = [];
    let pages: AsyncIterator<KeyVaultSecret['properties'][]> | undefined;
    for (;;) {
      // The time limit applies to each page: a secret may have thousands of versions, 25 a page.
      const next = (options: CallOptions) => {
        pages ??= this.#client.listPropertiesOfSecretVersions(name, options).byPage()[Symbol.asyncIterator]();
        return pages.next();
      };
      const page = await this.#call({ action: 'list', secret: name }, next, stop);
      if (!page || page.done) return seen;
      seen.push(...page.value.map(versionOf));
      if (seen.length >= enough) return seen;
    }
  }

  /** The same value again: undefined if that version is not the latest any more, or cannot be read or found. */
  async #updatePublished(name: string, version: string, properties: SecretProperties) {
    if ((await this.#latestVersion(name)) !== version) return undefined;
    const updated = await this.#call({ action: 'update', secret: name }, (options) =>
      this.#client.updateSecretProperties(name, version, { ...attributesOf(properties), ...options }),
    );
    return updated && { ...versionOf(updated), tags: properties.tags };
  }

  async #latestVersion(name: string): Promise<string | undefined> {
    try {
      return (await this.get(name))?.version;
    } catch (thrown) {
      if (thrown instanceof RotatorError && thrown.code === 'secret_disabled') return undefined;
      throw thrown;
    }
  }

  async #required<T>(call: Call, send: (options: CallOptions) => Promise<T>): Promise<T> {
    const answer = await this.#call(call, send);
    if (answer !== undefined) return answer;
    const { secret } = call;
    throw refused(
      `${this.#url} has no secret ${secret}, or not the version to change (404).`,
      `Check whether something deletes ${secret}.`,
    );
  }

  /** One request with its time limit; undefined for 404. */
  async #call<T>(
    call: Call,
    send: (options: CallOptions) => Promise<T>,
    controller = new AbortController(),
  ): Promise<T | undefined> {
    checkName(call.secret);
    let seen: SeenResponse | undefined;
    const onResponse = (answer: SeenResponse) => {
      seen = answer;
    };
    try {
      return await withDeadline(
        this.#timeoutMs,
        (abortSignal) => send({ abortSignal, onResponse }),
        controller,
      );
    } catch (thrown) {
      if (seen?.status === 404) return undefined;
      const error = vaultError(thrown, { ...call, vaultUrl: this.#url }, seen);
      if (call.action === 'set' && error.code === 'vault_throttled')
        this.#onThrottledWrite?.(error.retryAfterMs);
      throw error;
    }
  }
}

function attributesOf({ tags, contentType, notBefore, expiresAt, enabled }: SecretProperties) {
  return {
    tags: { ...tags },
    ...(enabled !== undefined && { enabled }),
    ...(contentType !== undefined && { contentType }),
    ...(notBefore !== undefined && { notBefore: dateOf(notBefore) }),
    ...(expiresAt !== undefined && { expiresOn: dateOf(expiresAt) }),
  };
}

function dateOf(ms: number): Date {
  return new Date(Math.min(ms, LATEST_TIME_MS));
}

function secretOf({ value = '', properties }: KeyVaultSecret): Secret {
  const { contentType, notBefore, expiresOn } = properties;
  return {
    ...versionOf(properties),
    value,
    properties: {
      ...(contentType !== undefined && { contentType }),
      ...(notBefore && { notBefore: notBefore.getTime() }),
      ...(expiresOn && { expiresAt: expiresOn.getTime() }),
    },
  };
}

function versionOf({
  version = '',
  createdOn,
  updatedOn,
  tags = {},
  enabled,
  expiresOn,
}: KeyVaultSecret['properties']): SecretVersion {
  const createdAt = createdOn?.getTime() ?? 0;
  const isChanged = updatedOn !== undefined && updatedOn.getTime() > createdAt;
  return {
    version: copyOf(version),
    createdAt,
    tags,
    ...(enabled === false && { enabled }),
    ...(expiresOn && { expiresAt: expiresOn.getTime() }),
    ...(isChanged && { isChanged }),
  };
}

// The client puts names and versions into URLs, where `..` would lead to another resource.
function checkName(name: string): void {
  if (SECRET_NAME.test(name)) return;
  throw refused(
    `${JSON.stringify(name.slice(0, 150))} is not a valid secret name.`,
    `Use ${SECRET_NAME_RULE}.`,
  );
}

function checkVersion(version: string | undefined): void {
  if (version === undefined || /^[0-9A-Za-z]{1,64}$/.test(version)) return;
  throw refused('The secret version is not valid.', 'Repair or delete the record of the connection.');
}
