import type { TokenRequest } from './types.ts';

/** A token request in flight; its methods write to the log. */
export interface OpenTokenRequest {
  readonly number: number;
  executing(): void;
  /** Only the first call counts. */
  end(status: number | undefined): void;
}

/** Records token requests, and the highest number of refresh token requests of a client that ran at the same time. */
export class TokenRequestLog {
  readonly requests: TokenRequest[] = [];
  readonly #now: () => number;
  readonly #inFlight = new Map<string, number>();
  readonly #highest = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  highest(clientId: string): number {
    return this.#highest.get(clientId) ?? 0;
  }

  begin(clientId: string | undefined, grantType: string | undefined): OpenTokenRequest {
    const request = {
      clientId,
      grantType,
      status: undefined as number | undefined,
      executed: false,
      startedAt: this.#now(),
      endedAt: undefined as number | undefined,
    };
    this.requests.push(request);
    const counted = clientId !== undefined && grantType === 'refresh_token' ? clientId : undefined;
    this.#count(counted, 1);
    return {
      number: this.requests.length,
      executing: () => {
        request.executed = true;
      },
      end: (status) => {
        if (request.endedAt !== undefined) return;
        request.status = status;
        request.endedAt = this.#now();
        this.#count(counted, -1);
      },
    };
  }

  #count(clientId: string | undefined, change: 1 | -1): void {
    if (clientId === undefined) return;
    const inFlight = (this.#inFlight.get(clientId) ?? 0) + change;
    this.#inFlight.set(clientId, inFlight);
    this.#highest.set(clientId, Math.max(inFlight, this.highest(clientId)));
  }
}
