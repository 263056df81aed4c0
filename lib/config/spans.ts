import type { StatedFacts } from '../oauth/providers/ownProfile.ts';

/** Times of an entry or of a profile that contradict each other: the member, and the end of a sentence. */
export function contradictions(stated: StatedFacts): readonly (readonly [key: string, cause: string])[] {
  const {
    accessTokenLifetime,
    earliestRenewal = 0,
    refreshTokenIdleLifetime: idle = 0,
    refreshTokenAbsoluteLifetime: absolute = Number.POSITIVE_INFINITY,
  } = stated;
  const isLate = accessTokenLifetime !== undefined && earliestRenewal >= accessTokenLifetime;
  return [
    ...(isLate
      ? [
          [
            'earliestRenewal',
            'is not less than accessTokenLifetime, so the token would always expire',
          ] as const,
        ]
      : []),
    ...(idle > absolute
      ? [['refreshTokenIdleLifetime', 'is longer than refreshTokenAbsoluteLifetime'] as const]
      : []),
  ];
}
