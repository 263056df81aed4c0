import type { TokenCredential } from '@azure/identity';
import { TokenUnavailable } from './errors.ts';
import { type Looks, lookDue, mustPause } from './freshness.ts';
import { type PublishedToken, vaultToken } from './vaultToken.ts';

/** Where the access token is. */
export interface TokenReaderOptions {
  /** The token vault: `https://NAME.vault.azure.net`. */
  readonly vaultUrl: string;
  /** The connection's name at the rotator. */
  readonly connection: string;
  /** Who reads: an identity with the role Key Vault Secrets User on the token vault. */
  readonly credential: TokenCredential;
  /** The secret, where the connection's entry names another than `NAME-access-token`. */
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
   * The current token: from memory, and from the vault where a look is due. All callers share one look. While the vault cannot
   * be read, the token in memory is given for as long as it is valid.
   * @param options.rejected a token that the API answered 401 to: the vault is looked at first, at most once a second
   * @param options.signal ends the waiting of this caller; a look goes on for all others
   * @throws TokenUnavailable where no valid token is to be had; the signal's reason
   */
  get(options?: GetOptions): Promise<AccessToken>;
}

/** What a caller of `get` may say. */
interface GetOptions {
  readonly rejected?: string;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes a reader for one connection. Nothing happens before the first `get`, and nothing between two of them: there are no timers,
 * so a reader keeps no process alive (but for a look that is under way, 10 s at most).
 * @throws TypeError where the vault's address, the credential, or the name of the connection or of the secret is none
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

  /** Never rejects: what went wrong is kept for whoever has no valid token. */
  #look(): Promise<void> {
    this.#flight ??= this.#lookOnce().finally(() => {
      this.#flight = undefined;
    });
    return this.#flight;
  }

  async #lookOnce(): Promise<void> {
    try {
      const found = await this.#read();
      // A token that is over is no news: one that is held and still valid must not give way to it.
      if (found.expiresAt <= this.#now()) throw tokenExpired();
      this.#held = found;
      this.#failure = undefined;
      this.#looks = { lookedAt: this.#now(), failures: 0 };
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
    'See the status of the connection at the rotator: it names the cause and the fix. Check the clock of this machine, too.',
  );
}
