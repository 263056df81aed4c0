import type { ProviderProfile } from '../../lib/oauth/providers/index.ts';
import type { Reuse, Source, Sources } from '../../lib/oauth/providers/profile.ts';
import type { TokenBehavior } from '../../lib/rotation/core/connection.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

function span(ms: number | undefined): string {
  if (ms === undefined) return '';
  if (ms >= 2 * DAY_MS) return `${ms / DAY_MS} days`;
  if (ms >= 2 * HOUR_MS) return `${ms / HOUR_MS} h`;
  return ms < MINUTE_MS ? `${ms / 1000} s` : `${ms / MINUTE_MS} min`;
}

interface Fact {
  /** The heading of its column. */
  readonly title: string;
  /** What the heading means; it follows a colon. */
  readonly means: string;
  /** Where the fact was read. */
  readonly source: keyof Sources;
  /** The cell of one provider. */
  readonly show: (profile: ProviderProfile) => string;
}

const REUSE: Readonly<Record<Reuse, (grace: string) => string>> = {
  single_use: () => 'single use',
  grace: (grace) => grace,
  disputed: (grace) => `${grace}, disputed`,
  reusable: () => 'unlimited',
  setting: (grace) => `a setting: ${grace || 'single use'}`,
  unknown: () => 'unknown: single use',
};

/** Every fact about tokens has a column; the errors have a table of their own. */
export const FACTS: readonly Fact[] = [
  {
    title: 'used refresh token',
    means: `how long a refresh token may be used again after its first use (\`refreshTokenGrace\`). It decides whether a lost token response costs the
  token family, see [reliability.md](reliability.md). "A setting" and "unknown" are followed by what the profile assumes, which can delay
  a repeated token request, but never sends one too early. Set yours in the entry. "Disputed": other sources say that it ends. The time then only makes
  the rotator repeat a lost request early; two requests never overlap.`,
    source: 'reuse',
    show: ({ reuse, behavior: { refreshTokenGraceMs: ms } }) => REUSE[reuse](ms === 0 ? '' : span(ms)),
  },
  {
    title: 'access token',
    means: 'the default lifetime, for token responses that name none (`accessTokenLifetime`).',
    source: 'accessToken',
    show: ({ behavior }) => span(behavior.defaultExpiresInMs),
  },
  {
    title: 'idle',
    means:
      'how long a refresh token lives after each refresh, unless the response says it. Empty: a setting of the tenant, no end, or not known.',
    source: 'refreshToken',
    show: ({ behavior }) => span(behavior.refreshTokenIdleMs),
  },
  {
    title: 'absolute',
    means: 'how long all refresh tokens of a sign-in live. The account owner must sign in again after it.',
    source: 'refreshToken',
    show: ({ behavior }) => span(behavior.refreshTokenAbsoluteMs),
  },
  {
    title: 'response',
    means:
      'where and how its token responses differ from RFC 6749 (`response`), beyond [what is understood anyway](#unusual-responses). "Tag": this member is published as a tag beside the token.',
    source: 'others',
    show: ({
      behavior: { response: { tokensIn, bearerTypes = [], expiresIn, expiresInUnit, tags = [] } = {} },
    }) =>
      [
        ...tags.map((name) => `tag \`${name}\``),
        ...(tokensIn === undefined ? [] : [`tokens in \`${tokensIn}\``]),
        ...bearerTypes.map((type) => `\`token_type\` ${type}`),
        ...(expiresIn === undefined ? [] : [`lifetime in \`${expiresIn}\``]),
        ...(expiresInUnit === 'ms' ? ['lifetimes in ms'] : []),
      ].join(', '),
  },
  {
    title: 'request',
    means: 'how token requests are encoded (`requestFormat`); empty: as a form.',
    source: 'others',
    show: ({ behavior: { requestFormat = 'form' } }) =>
      requestFormat === 'form' ? '' : requestFormat.toUpperCase(),
  },
];

const OTHERS: Readonly<
  Record<keyof TokenBehavior, ((behavior: TokenBehavior) => string | undefined) | null>
> = {
  // These have a column or a table.
  refreshTokenGraceMs: null,
  refreshTokenGraceIsDisputed: null,
  defaultExpiresInMs: null,
  refreshTokenIdleMs: null,
  refreshTokenAbsoluteMs: null,
  errors: null,
  response: null,
  requestFormat: null,
  accessTokenEndsAtRefresh: ({ accessTokenEndsAtRefresh }) =>
    accessTokenEndsAtRefresh && 'A refresh ends the access token before it, so the rotator renews late.',
  earliestRenewalMs: ({ earliestRenewalMs: ms }) =>
    ms === undefined ? undefined : `An access token can be renewed only when it is ${span(ms)} old.`,
  requestsPerDay: ({ requestsPerDay: most }) =>
    most === undefined ? undefined : `At most ${most} token requests a day.`,
};

/** The same mark for all facts that no source was read for. */
const UNVERIFIED_MARK = ' (unverified)';

export function marked(
  text: string,
  { confidence }: Source = { confidence: 'documented', date: '' },
): string {
  return text !== '' && confidence === 'unverified' ? text + UNVERIFIED_MARK : text;
}

export function endpointText({ tokenUri, tokenPath, sources }: ProviderProfile): string {
  const address = tokenUri ?? (tokenPath === undefined ? undefined : `…${tokenPath}`);
  return address === undefined ? 'set in the entry' : marked(`\`${address}\``, sources.tokenUri);
}

export function revocationText({ revocationUri, sources }: ProviderProfile): string {
  return revocationUri === undefined ? '' : marked(`\`${revocationUri}\``, sources.revocation);
}

/** What an entry must name. */
export function needsOf({ needs: others = [], tokenUri, tenant }: ProviderProfile): string[] {
  const isTenantNeeded = tokenUri?.includes('{tenant}') && tenant?.otherwise === undefined;
  return [...(tokenUri === undefined ? ['tokenUri'] : []), ...(isTenantNeeded ? ['tenant'] : []), ...others];
}

/** Everything that has no column: what the tenant is, what follows for renewals, and the note. */
export function noteOf({ tenant, note, behavior }: ProviderProfile): string {
  const others = Object.values(OTHERS).flatMap((show) => show?.(behavior) ?? []);
  return [...(tenant ? [`\`tenant\` is ${tenant.means}.`] : []), ...others, ...(note ? [note] : [])].join(
    ' ',
  );
}
