import type { StatedFacts } from '../oauth/providers/ownProfile.ts';
import { CAREFUL_BEHAVIOR, type TokenBehavior } from '../rotation/core/connection.ts';
import { toRemove } from './explainIssue.ts';

/** Two members that contradict each other. */
export interface Contradiction {
  /** The member to change, one that the entry or profile states. */
  readonly path: readonly [key: keyof ComparedFacts, ...PropertyKey[]];
  /** The end of a sentence about it. */
  readonly cause: string;
  /** What to do with the member at that place. Missing: set it to another value. */
  readonly fix?: (where: string) => string;
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
function factsOf(behavior: TokenBehavior): ComparedFacts {
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
    return own === undefined
      ? { value, name: `the ${key} of the profile, ${value} s`, fix: orStating(key) }
      : { value, name: key };
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
  const found: (readonly [
    key: Contradiction['path'][0],
    isWrong: boolean,
    cause: string,
    fix?: Contradiction['fix'],
  ])[] = [
    [
      'earliestRenewal',
      earliestRenewal !== undefined && earliestRenewal >= end.value,
      `is not less than ${end.name}, ${expires}`,
      end.fix,
    ],
    [
      'accessTokenLifetime',
      lifetime !== undefined &&
        earliestRenewal === undefined &&
        earliest !== undefined &&
        earliest >= lifetime,
      `is not above the earliestRenewal of the profile, ${earliest} s, ${expires}`,
      orStating('earliestRenewal'),
    ],
    [
      'renewBefore',
      // The lifetime in the response counts before that of a profile. A renewal that comes too early does harm only if it ends the token.
      renewBefore !== undefined && renewBefore >= end.value && (lifetime !== undefined || ends),
      `is not less than ${end.name}, so the token would always be renewed`,
      end.fix,
    ],
    [
      'refreshTokenIdleLifetime',
      idle !== undefined && idle > whole.value,
      `is longer than ${whole.name}`,
      whole.fix,
    ],
  ];
  return found.flatMap(([key, isWrong, cause, fix]) =>
    isWrong ? { path: [key], cause, ...(fix && { fix }) } : [],
  );
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
            fix: toRemove,
          },
        ]
      : []),
    ...responses.flatMap((response, index) => {
      const first = responses.indexOf(response);
      const cause = `is never used: errors[${first}] is for the same response`;
      return first < index ? { path: ['errors', index] as const, cause, fix: toRemove } : [];
    }),
  ];
}

/** The profile may be wrong about this account. */
function orStating(key: string): Contradiction['fix'] {
  return (where) => `Correct ${where}, or state ${key} beside it.`;
}

function toSeconds(ms: number | undefined): number | undefined {
  return ms === undefined ? undefined : ms / 1000;
}
