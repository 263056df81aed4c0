import type { StatedFacts } from '../oauth/providers/ownProfile.ts';
import { CAREFUL_BEHAVIOR, type TokenBehavior } from '../rotation/core/connection.ts';

/** Two members that contradict each other. */
export interface Contradiction {
  /** The member to change, one that the entry or profile states. */
  readonly path: readonly [key: keyof ComparedFacts, ...PropertyKey[]];
  /** The end of a sentence about it. */
  readonly cause: string;
  /** Is the member to be removed, instead of set to another value? */
  readonly remove?: true;
}

/** What is compared. Times are in seconds. */
export interface ComparedFacts extends StatedFacts {
  readonly renewBefore?: number | undefined;
}

/**
 * The contradictions in what an entry or a profile states, and between that and what it inherits.
 * @param inherited the behavior of the profile that an entry names
 */
export function contradictions(
  stated: ComparedFacts,
  inherited: TokenBehavior = CAREFUL_BEHAVIOR,
): readonly Contradiction[] {
  return [...contradictingTimes(stated, factsOf(inherited)), ...contradictingTexts(stated)];
}

/** The times that the behavior of a profile states, as an entry would. The careful default says nothing about a provider. */
export function factsOf(behavior: TokenBehavior): ComparedFacts {
  const { defaultExpiresInMs, earliestRenewalMs, refreshTokenIdleMs, refreshTokenAbsoluteMs } = behavior;
  const isKnown = defaultExpiresInMs !== CAREFUL_BEHAVIOR.defaultExpiresInMs;
  return {
    accessTokenLifetime: isKnown ? toSeconds(defaultExpiresInMs) : undefined,
    accessTokenEndsAtRefresh: behavior.accessTokenEndsAtRefresh,
    earliestRenewal: toSeconds(earliestRenewalMs),
    refreshTokenIdleLifetime: toSeconds(refreshTokenIdleMs),
    refreshTokenAbsoluteLifetime: toSeconds(refreshTokenAbsoluteMs),
  };
}

function contradictingTimes(stated: ComparedFacts, inherited: ComparedFacts): Contradiction[] {
  const limitOf = (key: 'accessTokenLifetime' | 'refreshTokenAbsoluteLifetime') => {
    const own = stated[key];
    const value = own ?? inherited[key] ?? Number.POSITIVE_INFINITY;
    return { value, name: own === undefined ? `the ${key} of the profile, ${value} s` : key };
  };
  const end = limitOf('accessTokenLifetime');
  const whole = limitOf('refreshTokenAbsoluteLifetime');
  const ends = stated.accessTokenEndsAtRefresh ?? inherited.accessTokenEndsAtRefresh ?? false;
  const {
    accessTokenLifetime: lifetime,
    earliestRenewal,
    renewBefore,
    refreshTokenIdleLifetime: idle,
  } = stated;
  const earliest = inherited.earliestRenewal;
  const expires = 'so the token would always expire';
  const found: (readonly [key: Contradiction['path'][0], isWrong: boolean, cause: string])[] = [
    [
      'earliestRenewal',
      earliestRenewal !== undefined && earliestRenewal >= end.value,
      `is not less than ${end.name}, ${expires}`,
    ],
    [
      'accessTokenLifetime',
      lifetime !== undefined &&
        earliestRenewal === undefined &&
        earliest !== undefined &&
        earliest >= lifetime,
      `is not above the earliestRenewal of the profile, ${earliest} s, ${expires}`,
    ],
    [
      'renewBefore',
      // The lifetime in the response counts before that of a profile. A renewal that comes too early does harm only if it ends the token.
      renewBefore !== undefined && renewBefore >= end.value && (lifetime !== undefined || ends),
      `is not less than ${end.name}, so the token would always be renewed`,
    ],
    ['refreshTokenIdleLifetime', idle !== undefined && idle > whole.value, `is longer than ${whole.name}`],
  ];
  return found.flatMap(([key, isWrong, cause]) => (isWrong ? { path: [key], cause } : []));
}

function contradictingTexts({ errors = [], scope, parameters = {} }: ComparedFacts): Contradiction[] {
  const responses = errors.map(({ status, error, description }) =>
    JSON.stringify([status, error, description?.toLowerCase()]),
  );
  const isTwice = scope !== undefined && Object.hasOwn(parameters, 'scope');
  return [
    ...(isTwice
      ? [
          {
            path: ['scope'] as const,
            cause: 'conflicts with parameters.scope; set only one',
            remove: true as const,
          },
        ]
      : []),
    ...responses.flatMap((response, index) => {
      const first = responses.indexOf(response);
      const cause = `is never used: errors[${first}] is for the same response`;
      return first < index ? { path: ['errors', index] as const, cause, remove: true as const } : [];
    }),
  ];
}

function toSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
