import type { StatedFacts } from '../oauth/providers/ownProfile.ts';

/** Times and error rules of an entry or of a profile that contradict each other: the member, and the end of a sentence. */
export function contradictions(stated: StatedFacts): readonly (readonly [key: string, cause: string])[] {
  const {
    accessTokenLifetime,
    earliestRenewal = 0,
    refreshTokenIdleLifetime: idle = 0,
    refreshTokenAbsoluteLifetime: absolute = Number.POSITIVE_INFINITY,
    errors = [],
  } = stated;
  const responses = errors.map(({ status, error, description }) =>
    JSON.stringify([status, error, description?.toLowerCase()]),
  );
  const again = responses.findIndex((each, index) => responses.indexOf(each) < index);
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
    ...(again >= 0
      ? [['errors', `has two rules for one response; errors[${again}] is never used`] as const]
      : []),
  ];
}
