import { beforeEach, describe, expect, it, vi } from 'vitest';
import type { ErrorCode } from '../../lib/errors.ts';
import type {
  FailureClass,
  TokenEndpoint,
  TokenRequest,
  TokenResponse,
} from '../../lib/rotation/core/tokenRequest.ts';

/** How long a refresh token stays usable after its first use. */
export type Rotation = 'single use' | { readonly graceSeconds: number } | 'reusable';

/** What the provider does with the next token request. */
export type Misbehavior =
  /** It cannot be connected to. */
  | 'unreachable'
  /** The connection breaks before it executes the request, or after. */
  | 'request lost'
  | 'response lost'
  /** 429, with `Retry-After` or without. */
  | { readonly throttled: { readonly retryAfterSeconds: number | undefined } }
  /** It reports that the request is not valid. */
  | 'invalid request'
  /** It fails, but its response has a refresh token. */
  | { readonly failsWith: { readonly refreshToken: string } };

/** One token endpoint, and its surroundings that the cases need. */
export interface TokenEndpointSide {
  readonly endpoint: TokenEndpoint;
  /** Lifetime of an access token in milliseconds. */
  readonly lifetimeMs: number;
  /** A user consents: the first refresh token of a new family. */
  consent(): Promise<string>;
  /** A request of the client that the provider knows. */
  request(refreshToken: string): TokenRequest;
  /** From now on the provider accepts only this secret of the client. */
  setClientSecret(secret: string): void;
  /** Lets time pass by the provider's clock. */
  pass(seconds: number): void;
  misbehave(next: Misbehavior): Promise<void>;
  /** Token requests that the provider has executed. */
  executed(): number;
}

/** The behavior of every token endpoint: the real client on an authorization server and the provider in memory. */
export function describeTokenEndpoint(start: (rotation: Rotation) => Promise<TokenEndpointSide>): void {
  let side: TokenEndpointSide;
  let seed: string;
  const begin = (rotation: Rotation) =>
    beforeEach(async () => {
      side = await start(rotation);
      seed = await side.consent();
    });
  const send = (refreshToken = '', changes: Partial<TokenRequest> = {}, mayStillSend = () => true) =>
    side.endpoint.send({ ...side.request(refreshToken), ...changes }, { mayStillSend, waitMs: 20_000 });

  describe('a refresh token that can be used once', () => {
    begin('single use');

    it('returns another one each time, with another access token', async () => {
      const first = await send(seed);
      const second = await send(first.refreshToken);
      expect(new Set([seed, first.refreshToken, second.refreshToken]).size).toBe(3);
      expect(second.accessToken).toMatchObject({
        value: expect.stringMatching(/./),
        lifetimeMs: side.lifetimeMs,
        expiresInIsDefault: false,
      });
      expect(second.accessToken?.value).not.toBe(first.accessToken?.value);
      expect(side.executed()).toBe(2);
    });

    it('has no deadline until it is used', async () => {
      side.pass(3_600);
      expect(await send(seed)).toHaveProperty('accessToken');
    });

    it('is refused the second time, and its whole family with it', async () => {
      const first = await send(seed);
      const second = await send(first.refreshToken);
      expectFailure(await send(seed), 'reauthorization_required', 'reauthorization_required');
      expectFailure(await send(second.refreshToken), 'reauthorization_required', 'reauthorization_required');
    });

    it('is refused the second time without an effect on other families', async () => {
      const other = await side.consent();
      await send(seed);
      await send(seed);
      expect(await send(other)).toHaveProperty('accessToken');
    });

    it('lets only one of two concurrent requests succeed, and revokes its token afterwards', async () => {
      const responses = await Promise.all([send(seed), send(seed)]);
      const [winner, ...others] = responses.filter(({ accessToken }) => accessToken);
      expect(others).toEqual([]);
      expectFailure(await send(winner?.refreshToken), 'reauthorization_required', 'reauthorization_required');
    });

    it('is refused if the provider did not issue it', async () => {
      expectFailure(await send('unknown'), 'reauthorization_required', 'reauthorization_required');
      expect(await send(seed)).toHaveProperty('accessToken');
    });
  });

  describe('a refresh token with a grace period', () => {
    begin({ graceSeconds: 30 });

    it('works again until the period since its first use ends, each time with another successor', async () => {
      const first = await send(seed);
      side.pass(29.9);
      const second = await send(seed);
      expect(second.refreshToken).toMatch(/./);
      expect(second.refreshToken).not.toBe(first.refreshToken);
      expect(await send(first.refreshToken)).toHaveProperty('accessToken');
      expect(await send(second.refreshToken)).toHaveProperty('accessToken');
    });

    it('is refused after the period, and its whole family with it', async () => {
      const { refreshToken } = await send(seed);
      side.pass(30);
      expectFailure(await send(seed), 'reauthorization_required', 'reauthorization_required');
      expectFailure(await send(refreshToken), 'reauthorization_required', 'reauthorization_required');
    });

    it('does not get a new period with its second use', async () => {
      await send(seed);
      side.pass(20);
      await send(seed);
      side.pass(20);
      expectFailure(await send(seed), 'reauthorization_required', 'reauthorization_required');
    });

    it('has no deadline until it is used', async () => {
      side.pass(3_600);
      expect(await send(seed)).toHaveProperty('accessToken');
    });
  });

  describe('a reusable refresh token', () => {
    begin('reusable');

    it('works each time, and the response has no other one', async () => {
      const responses = [await send(seed), await send(seed)];
      for (const { refreshToken = seed } of responses) expect(refreshToken).toBe(seed);
      const accessTokens = responses.map(({ accessToken }) => accessToken?.value);
      expect(new Set(accessTokens).size).toBe(2);
      expect(accessTokens).not.toContain(undefined);
    });
  });

  describe('a client', () => {
    begin('single use');

    it('with a wrong secret is rejected, and the refresh token stays unused', async () => {
      expectFailure(await send(seed, { clientSecret: 'wrong' }), 'client_rejected', 'client_rejected');
      expect(await send(seed)).toHaveProperty('accessToken');
    });

    it('is accepted only with its new secret after a change', async () => {
      side.setClientSecret('changed');
      expectFailure(await send(seed), 'client_rejected', 'client_rejected');
      expect(await send(seed, { clientSecret: 'changed' })).toHaveProperty('accessToken');
    });
  });

  describe('a request that may no longer be sent', () => {
    begin('single use');

    it('is not sent, and can be repeated', async () => {
      expectFailure(await send(seed, {}, () => false), 'retrying', 'provider_unavailable');
      expect(side.executed()).toBe(0);
      expect(await send(seed)).toHaveProperty('accessToken');
    });

    it('calls mayStillSend once', async () => {
      const mayStillSend = vi.fn(() => true);
      await send(seed, {}, mayStillSend);
      expect(mayStillSend).toHaveBeenCalledOnce();
    });
  });

  describe('a provider that fails', () => {
    begin('single use');

    it.each(['request lost', 'response lost'] as const)(
      'leaves the outcome unknown, and receives the request only once: %s',
      async (misbehavior) => {
        await side.misbehave(misbehavior);
        expectFailure(await send(seed), 'outcome_unknown', 'provider_unavailable');
        const wasExecuted = misbehavior === 'response lost';
        expect(side.executed()).toBe(wasExecuted ? 1 : 0);
        expect('failure' in (await send(seed))).toBe(wasExecuted);
      },
    );

    it('and cannot be reached causes a failure without an exception, and nothing is sent', async () => {
      await side.misbehave('unreachable');
      expectFailure(await send(seed), 'retrying', 'provider_unavailable');
    });

    it('because of too many requests does not use up the token, and may name a time to wait', async () => {
      await side.misbehave({ throttled: { retryAfterSeconds: 7 } });
      const withDelay = await send(seed);
      expectFailure(withDelay, 'retrying', 'provider_throttled');
      expect(withDelay.failure?.retryAfterMs).toBe(7_000);
      await side.misbehave({ throttled: { retryAfterSeconds: undefined } });
      const withoutDelay = await send(seed);
      expectFailure(withoutDelay, 'retrying', 'provider_throttled');
      expect(withoutDelay.failure).not.toHaveProperty('retryAfterMs');
      expect(await send(seed)).toHaveProperty('accessToken');
    });

    it('because the request is not valid does not use up the token', async () => {
      await side.misbehave('invalid request');
      expectFailure(await send(seed), 'misconfigured', 'misconfigured');
      expect(await send(seed)).toHaveProperty('accessToken');
    });

    it('can still return a refresh token, which is kept', async () => {
      await side.misbehave({ failsWith: { refreshToken: 'came-along' } });
      const response = await send(seed);
      expectFailure(response, 'outcome_unknown', 'provider_unavailable');
      expect(response.refreshToken).toBe('came-along');
    });
  });
}

function expectFailure(
  { accessToken, failure }: TokenResponse,
  failureClass: FailureClass,
  code: ErrorCode,
): void {
  expect(accessToken).toBeUndefined();
  const sentence = expect.stringMatching(/.{4}/);
  expect(failure).toMatchObject({ class: failureClass, code, message: sentence, fix: sentence });
}
