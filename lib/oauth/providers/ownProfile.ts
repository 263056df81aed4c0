import type { ResponseFacts, TokenBehavior } from '../../rotation/core/connection.ts';
import type { ErrorMeaning, ErrorRule } from '../../rotation/core/tokenRequest.ts';
import { mistake, refusedToken, rejectedClient, throttled } from '../errorMeanings.ts';
import { generic } from './generic.ts';
import type { ProviderProfile } from './profile.ts';

/** What a connections file says about a provider, in an entry or in a profile of its own. Times are in seconds. */
export interface StatedFacts {
  readonly tokenUri?: string | undefined;
  readonly revocationUri?: string | undefined;
  readonly clientAuthentication?: ProviderProfile['clientAuthentication'] | undefined;
  readonly scope?: string | undefined;
  readonly parameters?: Readonly<Record<string, string>> | undefined;
  readonly refreshTokenGrace?: number | 'unlimited' | undefined;
  readonly accessTokenLifetime?: number | undefined;
  readonly refreshTokenIdleLifetime?: number | undefined;
  readonly refreshTokenAbsoluteLifetime?: number | undefined;
  readonly accessTokenEndsAtRefresh?: boolean | undefined;
  readonly earliestRenewal?: number | undefined;
  readonly requestsPerDay?: number | undefined;
  readonly errors?: readonly StatedError[] | undefined;
  readonly requestFormat?: TokenBehavior['requestFormat'] | undefined;
  readonly response?: StatedResponse | undefined;
}

/** How the token responses differ from RFC 6749. */
interface StatedResponse {
  readonly tokensIn?: string | undefined;
  readonly bearerTypes?: readonly string[] | undefined;
  readonly expiresIn?: string | undefined;
  readonly expiresInUnit?: 'seconds' | 'milliseconds' | undefined;
  readonly tags?: readonly string[] | undefined;
}

/** An error response, and what it means. */
interface StatedError {
  readonly status?: number | undefined;
  readonly error?: string | undefined;
  readonly description?: string | undefined;
  readonly means: keyof typeof MEANINGS;
}

const MEANINGS = {
  reauthorization_required: refusedToken('the refresh token is refused, as the connections file says'),
  client_rejected: rejectedClient('the client credentials are refused, as the connections file says'),
  retrying: throttled('the provider did not process the request, as the connections file says'),
  misconfigured: mistake('the provider refuses the request, as the connections file says'),
} satisfies Readonly<Record<string, ErrorMeaning>>;

/** A profile that a connections file defines. What it does not say is assumed as carefully as for any provider. */
export function ownProfile(id: string, stated: StatedFacts): ProviderProfile {
  const { tokenUri, revocationUri, clientAuthentication, scope, parameters } = stated;
  return {
    ...generic,
    id,
    title: id,
    ...(tokenUri !== undefined && { tokenUri }),
    ...(tokenUri?.includes('{tenant}') && {
      tenant: { means: `the text for {tenant} in providers.${id}.tokenUri` },
    }),
    ...(revocationUri !== undefined && { revocationUri }),
    ...(clientAuthentication !== undefined && { clientAuthentication }),
    ...(scope !== undefined && { scope }),
    ...(parameters !== undefined && { parameters }),
    behavior: statedBehavior(generic.behavior, stated),
  };
}

/** The behavior, with what the connections file says instead. */
export function statedBehavior(behavior: TokenBehavior, stated: StatedFacts): TokenBehavior {
  const {
    refreshTokenGrace: grace,
    accessTokenLifetime,
    refreshTokenIdleLifetime: idle,
    refreshTokenAbsoluteLifetime: absolute,
    accessTokenEndsAtRefresh: ends,
    earliestRenewal,
    requestsPerDay,
    errors,
    requestFormat,
    response,
  } = stated;
  const { refreshTokenGraceIsDisputed: disputed, accessTokenEndsAtRefresh: usuallyEnds, ...rest } = behavior;
  return {
    ...rest,
    ...(grace === undefined
      ? disputed && { refreshTokenGraceIsDisputed: disputed }
      : { refreshTokenGraceMs: toMs(grace) }),
    ...(accessTokenLifetime !== undefined && { defaultExpiresInMs: toMs(accessTokenLifetime) }),
    ...(idle !== undefined && { refreshTokenIdleMs: toMs(idle) }),
    ...(absolute !== undefined && { refreshTokenAbsoluteMs: toMs(absolute) }),
    ...((ends ?? usuallyEnds) && { accessTokenEndsAtRefresh: true }),
    ...(earliestRenewal !== undefined && { earliestRenewalMs: toMs(earliestRenewal) }),
    ...(requestsPerDay !== undefined && { requestsPerDay }),
    ...(errors !== undefined && { errors: [...errors.map(ruleOf), ...(behavior.errors ?? [])] }),
    ...(requestFormat !== undefined && { requestFormat }),
    ...(response && { response: { ...behavior.response, ...factsOf(response) } }),
  };
}

function factsOf({ expiresInUnit: unit, ...facts }: StatedResponse): ResponseFacts {
  const known = Object.fromEntries(Object.entries(facts).filter(([, value]) => value !== undefined));
  return { ...known, ...(unit && { expiresInUnit: unit === 'seconds' ? 's' : 'ms' }) };
}

function ruleOf({ status, error, description, means }: StatedError): ErrorRule {
  return {
    when: {
      ...(status !== undefined && { status }),
      ...(error !== undefined && { error }),
      ...(description !== undefined && { description: literal(description) }),
    },
    means: MEANINGS[means],
  };
}

/** Matches the text in any case of letters. It has no repetition, so that no response takes long. */
function literal(text: string): RegExp {
  return new RegExp(text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), 'i');
}

function toMs(seconds: number | 'unlimited'): number {
  return seconds === 'unlimited' ? Number.POSITIVE_INFINITY : Math.ceil(seconds * 1000);
}
