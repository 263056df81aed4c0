import type { ErrorCode, Problem } from '../../../../lib/errors.ts';
import type {
  FailureClass,
  IssuedAccessToken,
  TokenRequest,
  TokenRequestFailure,
  TokenResponse,
} from '../../../../lib/rotation/core/tokenRequest.ts';
import { problemWith } from '../../../support/problem.ts';

type Script = TokenResponse | ((request: TokenRequest) => TokenResponse);

interface Issued {
  readonly family: number;
  usedAt?: number;
  /** When it can no longer be used, by the service's clock. */
  expiresAt: number;
}

/** How long refresh tokens live: from each refresh, or from the consent. Milliseconds. */
export interface Deadline {
  readonly kind: 'idle' | 'absolute';
  readonly ms: number;
}

/**
 * A token endpoint. It returns the responses that a test scripts, in order. After those it behaves like a provider that accepts
 * a refresh token again within `graceMs`: 0 for single use, Infinity for tokens that are never replaced. A later use
 * revokes the whole token family.
 */
export class Provider {
  graceMs = 0;
  lifetimeMs = 3_600_000;
  /** Each response says how long the refresh token has left. */
  deadline: Deadline | undefined;
  clientSecrets = ['client-secret-one'];
  /** The refresh tokens that the endpoint received, in order. */
  readonly sent: string[] = [];
  readonly #script: Script[] = [];
  readonly #issued = new Map<string, Issued>();
  readonly #revoked = new Set<number>();
  readonly #now: () => number;
  #count = 0;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** The account owner consents. @returns the first refresh token of a new token family */
  consent(): string {
    this.#count += 1;
    return this.#issue(this.#count, this.#now() + (this.deadline?.ms ?? Number.POSITIVE_INFINITY));
  }

  /** The responses to the next token requests, one for each. */
  script(...responses: Script[]): void {
    this.#script.push(...responses);
  }

  grant(request: TokenRequest): TokenResponse {
    this.sent.push(request.refreshToken);
    const scripted = this.#script.shift();
    if (scripted) return typeof scripted === 'function' ? scripted(request) : scripted;
    return this.behave(request);
  }

  behave({ refreshToken, clientSecret }: TokenRequest): TokenResponse {
    if (!this.clientSecrets.includes(clientSecret)) return refusal('client_rejected');
    const issued = this.#issued.get(refreshToken);
    if (this.isExpired(refreshToken)) return refusal('reauthorization_required', { refusal: 'final' });
    if (!issued || this.#revoked.has(issued.family)) {
      // The first use counts regardless of its outcome, because its sender may never get the response.
      if (issued) issued.usedAt ??= this.#now();
      return refusal('reauthorization_required');
    }
    const expiresAt = this.#renewed(issued);
    const left = Number.isFinite(expiresAt) && { refreshTokenLifetimeMs: expiresAt - this.#now() };
    if (this.graceMs === Number.POSITIVE_INFINITY) {
      issued.expiresAt = expiresAt;
      return { accessToken: this.accessToken(), ...left };
    }
    if (issued.usedAt !== undefined && this.#now() >= issued.usedAt + this.graceMs) {
      this.#revoked.add(issued.family);
      return refusal('reauthorization_required');
    }
    issued.usedAt ??= this.#now();
    return { refreshToken: this.#issue(issued.family, expiresAt), accessToken: this.accessToken(), ...left };
  }

  /** Ends the whole token family; a token that is not known is not valid anyway (RFC 7009 section 2.2). */
  revoke({ refreshToken, clientSecret }: TokenRequest): Problem | undefined {
    if (!this.clientSecrets.includes(clientSecret)) return problemWith('client_rejected');
    const family = this.#issued.get(refreshToken)?.family;
    if (family !== undefined) this.#revoked.add(family);
    return undefined;
  }

  /** Has the refresh token reached its deadline? */
  isExpired(refreshToken: string | undefined): boolean {
    return this.#now() >= (this.#issued.get(refreshToken ?? '')?.expiresAt ?? Number.POSITIVE_INFINITY);
  }

  #renewed({ expiresAt }: Issued): number {
    return this.deadline?.kind === 'idle' ? this.#now() + this.deadline.ms : expiresAt;
  }

  /** When a refresh token was first used, by the service's clock; undefined if it was never used. */
  usedAt(refreshToken: string | undefined): number | undefined {
    return this.#issued.get(refreshToken ?? '')?.usedAt;
  }

  /** Would the provider still accept this refresh token? */
  accepts(refreshToken: string | undefined): boolean {
    const issued = this.#issued.get(refreshToken ?? '');
    const isUsable = issued !== undefined && issued.usedAt === undefined && !this.isExpired(refreshToken);
    return isUsable && !this.#revoked.has(issued.family);
  }

  accessToken(): IssuedAccessToken {
    this.#count += 1;
    const value = `access-token-${this.#count}.`;
    return issuedToken({ value, lifetimeMs: this.lifetimeMs });
  }

  #issue(family: number, expiresAt: number): string {
    this.#count += 1;
    const value = `refresh-token-${this.#count}.`;
    this.#issued.set(value, { family, expiresAt });
    return value;
  }
}

/** An access token as a token endpoint issues it; by default it lives an hour. */
export function issuedToken(changes: Partial<IssuedAccessToken> = {}): IssuedAccessToken {
  return {
    value: 'access-token',
    scope: 'all',
    lifetimeMs: 3_600_000,
    expiresInIsDefault: false,
    ...changes,
  };
}

const CODES: Readonly<Record<FailureClass, ErrorCode>> = {
  retrying: 'provider_throttled',
  outcome_unknown: 'provider_unavailable',
  reauthorization_required: 'reauthorization_required',
  client_rejected: 'client_rejected',
  misconfigured: 'misconfigured',
};

/** A token response that is a failure of this class. */
export function refusal(failureClass: FailureClass, more: Partial<TokenRequestFailure> = {}) {
  const problem = { code: CODES[failureClass], message: `The provider says ${failureClass}.`, fix: 'None.' };
  return { failure: { class: failureClass, ...problem, ...more } };
}
