/** How an authorization server treats tokens. Times are in milliseconds. */
export interface Rules {
  /** How long a refresh token works after its first use: 0 for single use, Infinity if it always works. */
  readonly graceMs: number;
  /** Does the grace of a used refresh token end when its successor is used? */
  readonly untilSuccessorUsed?: boolean;
  /** When a refresh replaces the refresh token. `daily`: if it is older than a day. */
  readonly replaces: 'always' | 'daily' | 'never';
  readonly accessTokenMs: number;
  /** A refresh token ends if it, or its predecessor, was not used for so long. */
  readonly idleMs?: number;
  /** All refresh tokens of a sign-in end so long after it. */
  readonly absoluteMs?: number;
  /** A refresh is refused while the last access token is younger. */
  readonly earliestMs?: number;
  /** More requests in 24 hours are refused. */
  readonly requestsPerDay?: number;
  /** Does a refresh end the earlier access tokens? */
  readonly endsAccessTokens?: boolean;
}

/** Real responses, with other values for the secrets. */
export interface Recorded {
  /** Where they were read. */
  readonly source: string;
  readonly success: Readonly<Record<string, unknown>>;
  readonly refused: RecordedError;
  /** For a refresh that comes too early. */
  readonly tooEarly?: RecordedError;
}

interface RecordedError {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
}

/** A refresh token that the server has issued. */
interface RefreshToken {
  readonly family: Family;
  readonly issuedAt: number;
  readonly predecessor?: RefreshToken;
  firstUsedAt?: number;
  lastUsedAt: number;
}

interface Family {
  readonly startedAt: number;
  revoked: boolean;
}

interface Answer {
  readonly status: number;
  readonly body: Readonly<Record<string, unknown>>;
  /** The values that it issues, if it accepts the request. */
  readonly refreshToken?: string;
  readonly accessToken?: string;
}

const DAY_MS = 86_400_000;

/** The token endpoint of one behavior class. Its responses are recorded ones, with the tokens and lifetimes replaced. */
export class AuthorizationServer {
  /** How often it refused something, by what. */
  readonly refused = { reuse: 0, tooEarly: 0, overLimit: 0, ended: 0 };
  requests = 0;
  readonly #rules: Rules;
  readonly #recorded: Recorded;
  readonly #now: () => number;
  readonly #issued = new Map<string, RefreshToken>();
  #accessTokenAt = Number.NEGATIVE_INFINITY;
  #lastDay: number[] = [];
  #count = 0;

  constructor(rules: Rules, recorded: Recorded, now: () => number) {
    this.#rules = rules;
    this.#recorded = recorded;
    this.#now = now;
  }

  /** The account owner signs in, and gets an access token as well. @returns the first refresh token */
  consent(): string {
    this.#accessTokenAt = this.#now();
    return this.#issue({ startedAt: this.#now(), revoked: false });
  }

  /** One request with a refresh token. */
  request(value: string): Answer {
    const now = this.#now();
    this.requests += 1;
    const { earliestMs = 0, requestsPerDay = Number.POSITIVE_INFINITY, graceMs } = this.#rules;
    const { refused, tooEarly = refused } = this.#recorded;
    this.#lastDay = [...this.#lastDay.filter((at) => at > now - DAY_MS), now];
    if (this.#lastDay.length > requestsPerDay) return this.#refuse('overLimit', { ...tooEarly, status: 429 });
    const token = this.#issued.get(value);
    if (!token || token.family.revoked || this.hasEnded(value)) return this.#refuse('ended', refused);
    if (token.firstUsedAt !== undefined && !this.#isInGrace(token, graceMs)) {
      token.family.revoked = true;
      return this.#refuse('reuse', refused);
    }
    if (now < this.#accessTokenAt + earliestMs) return this.#refuse('tooEarly', tooEarly);
    return this.#accept(value, token);
  }

  /** Would it accept this refresh token? */
  accepts(value: string | undefined): boolean {
    const token = this.#issued.get(value ?? '');
    if (!token || token.family.revoked || this.hasEnded(value ?? '')) return false;
    return token.firstUsedAt === undefined || this.#isInGrace(token, this.#rules.graceMs);
  }

  /** Has the refresh token reached a deadline? */
  hasEnded(value: string): boolean {
    const token = this.#issued.get(value);
    if (!token) return false;
    const { idleMs = Number.POSITIVE_INFINITY, absoluteMs = Number.POSITIVE_INFINITY } = this.#rules;
    const now = this.#now();
    return now >= token.lastUsedAt + idleMs || now >= token.family.startedAt + absoluteMs;
  }

  #isInGrace({ firstUsedAt = 0 }: RefreshToken, graceMs: number): boolean {
    // A token that was not replaced is not used up.
    return this.#now() < firstUsedAt + graceMs;
  }

  #accept(value: string, token: RefreshToken): Answer {
    const now = this.#now();
    const { replaces, accessTokenMs, untilSuccessorUsed = false } = this.#rules;
    const isReplaced = replaces === 'always' || (replaces === 'daily' && now >= token.issuedAt + DAY_MS);
    token.lastUsedAt = now;
    if (isReplaced) token.firstUsedAt ??= now;
    if (untilSuccessorUsed && token.predecessor) token.predecessor.firstUsedAt = Number.NEGATIVE_INFINITY;
    const refreshToken = isReplaced ? this.#issue(token.family, token) : value;
    this.#count += 1;
    const accessToken = `access-token-${this.#count}.`;
    this.#accessTokenAt = now;
    const { success } = this.#recorded;
    const lifetime = accessTokenMs / 1000;
    const body = {
      ...success,
      access_token: accessToken,
      ...('refresh_token' in success && { refresh_token: refreshToken }),
      ...('expires_in' in success && {
        expires_in: typeof success.expires_in === 'string' ? String(lifetime) : lifetime,
      }),
    };
    return { status: 200, body, accessToken, refreshToken };
  }

  #refuse(why: keyof AuthorizationServer['refused'], { status, body }: RecordedError): Answer {
    this.refused[why] += 1;
    return { status, body };
  }

  #issue(family: Family, predecessor?: RefreshToken): string {
    this.#count += 1;
    const value = `refresh-token-${this.#count}.`;
    const issuedAt = this.#now();
    this.#issued.set(value, { family, issuedAt, lastUsedAt: issuedAt, ...(predecessor && { predecessor }) });
    return value;
  }
}
