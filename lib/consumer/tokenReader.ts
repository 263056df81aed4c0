import type { TokenCredential } from '@azure/core-auth';
import { TokenUnavailable } from './errors.ts';
import { type Looks, laterToken, lookDue, mustPause } from './freshness.ts';
import { type PublishedToken, vaultToken } from './vaultToken.ts';

/** Where the access token is. */
export interface TokenReaderOptions {
  /** The token vault: `https://NAME.vault.azure.net`. */
  readonly vaultUrl: string;
  /** The connection's name at the rotator. */
  readonly connection: string;
  /** The identity that reads: it needs the role Key Vault Secrets User on the token vault. */
  readonly credential: TokenCredential;
  /** The secret, if the connection's entry names one other than `NAME-access-token`. */
  readonly secretName?: string;
  /** The time in milliseconds since the epoch, for tests. */
  readonly now?: () => number;
}

/** An access token that is valid now. */
export interface AccessToken {
  readonly token: string;
  /** Milliseconds since the epoch. */
  readonly expiresAt: number;
}

/** Gives the access token of one connection, always a valid one. */
export interface TokenReader {
  /**
   * The current token: from memory, or from the vault if a look is due. All callers share one look. While the vault cannot
   * be read, the reader returns the token in memory for as long as it is valid.
   * @param options.rejected a token for which the API responded with 401: the reader looks in the vault first, at most once a second
   * @param options.signal ends the waiting of this caller; the look continues for all others
   * @throws TokenUnavailable if no valid token is available; the signal's reason
   */
  get(options?: GetOptions): Promise<AccessToken>;
}

/** The options of `get`. */
interface GetOptions {
  readonly rejected?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Creates a reader for one connection. It does nothing before the first `get` or between two calls. It has no timers, so it
 * keeps no process alive, except during a look, which takes 10 s at most.
 * @throws TypeError if the vault's address, the credential, or the name of the connection or of the secret is not valid
 */
export function createTokenReader(options: TokenReaderOptions): TokenReader {
  const { vaultUrl, connection, credential, secretName = `${connection}-access-token` } = options;
  if (!connection) throw new TypeError('Name the connection as the rotator does.');
  return new CachedToken(vaultToken(vaultUrl, secretName, credential), options.now ?? Date.now);
}

/** The token last seen in the vault, and when to look again. */
class CachedToken implements TokenReader {
  readonly #read: () => Promise<PublishedToken>;
  readonly #now: () => number;
  #held: PublishedToken | undefined;
  #looks: Looks = { lookedAt: Number.POSITIVE_INFINITY, failures: 0 };
  #failure: unknown;
  #flight: Promise<void> | undefined;

  constructor(read: () => Promise<PublishedToken>, now: () => number) {
    this.#read = read;
    this.#now = now;
  }

  async get({ rejected, signal }: GetOptions = {}): Promise<AccessToken> {
    signal?.throwIfAborted();
    const now = this.#now();
    const due = this.#due(now, rejected);
    const look = due === 'no' ? undefined : this.#look();
    if (due === 'look_first') await unlessAborted(look, signal);
    const held = this.#valid(this.#now());
    if (!held) throw this.#failure ?? tokenExpired();
    return { token: held.token, expiresAt: held.expiresAt };
  }

  #due(now: number, rejected: string | undefined) {
    const held = this.#valid(now);
    if (held && held.token !== rejected) return lookDue(held, this.#looks, now);
    const inVain = held !== undefined || this.#looks.failures > 0;
    return inVain && !this.#flight && mustPause(this.#looks, now) ? 'no' : 'look_first';
  }

  #valid(now: number): PublishedToken | undefined {
    return this.#held && this.#held.expiresAt > now ? this.#held : undefined;
  }

  /** Never rejects: it keeps the error for callers without a valid token. */
  #look(): Promise<void> {
    this.#flight ??= this.#lookOnce().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  async #lookOnce(): Promise<void> {
    try {
      const found = await this.#read();
      // An expired token must not replace one in memory that is still valid.
      const now = this.#now();
      if (found.expiresAt <= now) throw tokenExpired();
      this.#held = laterToken(this.#valid(now), found);
      this.#failure = undefined;
      this.#looks = { lookedAt: now, failures: 0 };
    } catch (thrown) {
      this.#failure = thrown;
      this.#looks = { lookedAt: this.#now(), failures: this.#looks.failures + 1 };
    }
  }
}

async function unlessAborted(
  work: Promise<void> | undefined,
  signal: AbortSignal | undefined,
): Promise<void> {
  if (!signal) return work;
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    signal.addEventListener('abort', stop, { once: true });
  });
  await Promise.race([work, aborted]).finally(() => signal.removeEventListener('abort', stop));
}

function tokenExpired(): TokenUnavailable {
  return new TokenUnavailable(
    'token_expired',
    'The access token in the vault has expired and was not renewed.',
    'Check the status of the connection at the rotator, which names the cause and the fix, and the clock of this machine.',
  );
}
