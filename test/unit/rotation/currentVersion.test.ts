import { describe, expect, test } from 'vitest';
import {
  awaitedElsewhere,
  currentVersion,
  falseOrigins,
  isUnknownIntent,
  lagsBehind,
  reconciled,
  showsThePast,
  supersededBy,
  toDisable,
} from '../../../lib/rotation/core/currentVersion.ts';
import type { ConnectionRecord } from '../../../lib/rotation/core/record.ts';
import { foreignStore, savedTags, withIntent } from '../../../lib/rotation/core/tags.ts';
import type { SecretVersion } from '../../../lib/rotation/ports.ts';
import { OTHER_STORE, STORE } from './world/connection.ts';
import { failing, recordNamed, tokenTimes } from './world/record.ts';

const setByOperator = (version: string, second: number): SecretVersion => ({
  version,
  createdAt: second * 1000,
  tags: { team: 'crm' },
});

const saved = (version: string, second: number, parent: string, epoch: number): SecretVersion => ({
  version,
  createdAt: second * 1000,
  tags: savedTags({ connection: 'crm', parent, epoch, generation: epoch, store: STORE }, {}),
});

const disabled = (version: SecretVersion): SecretVersion => ({ ...version, enabled: false });

/** Its tags were changed later, as an announcement does, or an attacker. */
const changed = (version: SecretVersion): SecretVersion => ({ ...version, isChanged: true });

const found = (version: string | undefined, versions: SecretVersion[], latest: string): [string, string?] => {
  const record = recordNamed('crm', version === undefined ? {} : { version });
  // The vault lists versions in no particular order, so every order must give the same result.
  const findings = [versions, versions.toReversed()].map((each) => currentVersion(record, each, latest));
  expect(findings[1]).toEqual(findings[0]);
  const finding = findings[0];
  if (!finding || finding.finding === 'gone') return ['gone'];
  return [finding.finding, finding.winner.version];
};

describe('the version that counts', () => {
  const seed = setByOperator('p', 1);
  const v1 = saved('v1', 10, 'p', 0);
  const v2 = saved('v2', 20, 'v1', 1);
  const cases: Record<string, [[string | undefined, SecretVersion[], string], [string, string?]]> = {
    'the first seed of an operator': [
      [undefined, [seed], 'p'],
      ['set_by_operator', 'p'],
    ],
    "an operator's first token, although its tags were changed": [
      [undefined, [changed(seed)], 'p'],
      ['set_by_operator', 'p'],
    ],
    "the newer of an operator's first tokens, although the vault still returns the older one": [
      [undefined, [seed, setByOperator('q', 15)], 'p'],
      ['set_by_operator', 'q'],
    ],
    "an operator's first token if the next one was disabled before it was used": [
      [undefined, [seed, disabled(setByOperator('q', 15))], 'q'],
      ['set_by_operator', 'p'],
    ],
    'without a record, the save with the highest epoch if all saves are disabled': [
      [undefined, [disabled(v1), disabled(v2)], 'v2'],
      ['saved_not_recorded', 'v2'],
    ],
    'without a record, the version in use, although one that it superseded has a higher epoch': [
      [
        undefined,
        [disabled(saved('old', 10, 'p', 4)), setByOperator('q', 20), saved('new', 30, 'q', 3)],
        'new',
      ],
      ['saved_not_recorded', 'new'],
    ],
    'the same if that one was saved after an operator had set the token in use': [
      [
        undefined,
        [setByOperator('q', 5), disabled(saved('late', 10, 'p', 4)), saved('new', 30, 'q', 3)],
        'new',
      ],
      ['saved_not_recorded', 'new'],
    ],
    'the recorded version if nothing is newer': [
      ['v1', [seed, v1], 'v1'],
      ['unchanged', 'v1'],
    ],
    'a save that was not recorded': [
      ['v1', [seed, v1, v2], 'v2'],
      ['saved_not_recorded', 'v2'],
    ],
    "an operator's newer token": [
      ['v1', [seed, v1, setByOperator('q', 15)], 'q'],
      ['set_by_operator', 'q'],
    ],
    "the newest of an operator's tokens": [
      ['v1', [seed, v1, setByOperator('q', 15), setByOperator('r', 16)], 'r'],
      ['set_by_operator', 'r'],
    ],
    "the latest of an operator's tokens of the same second": [
      ['v1', [seed, v1, setByOperator('q', 15), setByOperator('r', 15)], 'r'],
      ['set_by_operator', 'r'],
    ],
    "an operator's token, older than a late write": [
      ['v1', [seed, v1, setByOperator('q', 15), v2], 'v2'],
      ['set_by_operator', 'q'],
    ],
    "the recorded version, not an operator's older token": [
      ['v1', [seed, setByOperator('q', 9), v1], 'v1'],
      ['unchanged', 'v1'],
    ],
    "an operator's token of the same second if it is the latest": [
      ['v1', [v1, setByOperator('q', 10)], 'q'],
      ['set_by_operator', 'q'],
    ],
    "the recorded version if it is the latest, not an operator's token of the same second": [
      ['v1', [seed, v1, setByOperator('q', 10)], 'v1'],
      ['unchanged', 'v1'],
    ],
    "an operator's token that is already recorded": [
      ['q', [seed, v1, setByOperator('q', 15)], 'q'],
      ['unchanged', 'q'],
    ],
    'the copy of a seed, not the seed of the same second': [
      ['v1', [setByOperator('p', 10), v1], 'v1'],
      ['unchanged', 'v1'],
    ],
    'the child with the highest epoch': [
      ['v1', [v1, saved('a', 30, 'v1', 1), saved('b', 25, 'v1', 3), saved('c', 35, 'v1', 2)], 'c'],
      ['saved_not_recorded', 'b'],
    ],
    'the recorded version, not a late write with another parent': [
      ['v2', [seed, v1, v2, saved('late', 30, 'p', 0)], 'late'],
      ['unchanged', 'v2'],
    ],
    'the newer copy of a save that was written twice': [
      ['v2', [v1, v2, saved('twin', 21, 'v1', 1)], 'twin'],
      ['written_twice', 'twin'],
    ],
    'the latest copy of a save that was written twice within a second': [
      ['v2', [v1, saved('twin', 20, 'v1', 1), v2], 'v2'],
      ['unchanged', 'v2'],
    ],
    'a child of the recorded version, not a twin of that version': [
      ['v2', [v1, v2, saved('twin', 21, 'v1', 1), saved('v3', 30, 'v2', 2)], 'v3'],
      ['saved_not_recorded', 'v3'],
    ],
    'a child of the recorded token that was obtained with the first of its two copies': [
      ['copy', [v1, v2, saved('v3', 25, 'v2', 2), saved('copy', 26, 'v1', 1)], 'copy'],
      ['saved_not_recorded', 'v3'],
    ],
    'without a record, the save with the highest epoch': [
      [undefined, [seed, v1, v2, saved('late', 30, 'p', 0)], 'late'],
      ['saved_not_recorded', 'v2'],
    ],
    "without a record, an operator's newer token": [
      [undefined, [seed, v1, v2, setByOperator('q', 30)], 'q'],
      ['set_by_operator', 'q'],
    ],
    'without a record for the second time, the family of the newest seed': [
      [
        undefined,
        [seed, v1, saved('v9', 20, 'v1', 9), setByOperator('q', 30), saved('q1', 31, 'q', 0)],
        'q1',
      ],
      ['saved_not_recorded', 'q1'],
    ],
    'with an older copy of the record, the end of the token family': [
      ['v1', [seed, v1, v2, saved('v3', 30, 'v2', 2)], 'v3'],
      ['saved_not_recorded', 'v3'],
    ],
    'without the recorded version, the save with the highest epoch': [
      ['purged', [v1, v2], 'v2'],
      ['saved_not_recorded', 'v2'],
    ],
    'the readable one of two copies of the same second': [
      ['v1', [seed, v1, disabled(v2), saved('v2b', 20, 'v1', 1), saved('late', 30, 'p', 0)], 'late'],
      ['saved_not_recorded', 'v2b'],
    ],
    'the recorded version, not a newer copy that is disabled': [
      ['v2', [seed, v1, v2, disabled(saved('v2b', 25, 'v1', 1))], 'v2b'],
      ['unchanged', 'v2'],
    ],
    'the newest copy if all are disabled': [
      ['v1', [seed, v1, disabled(v2)], 'v2'],
      ['saved_not_recorded', 'v2'],
    ],
    "with an older copy of the record, a save, not an operator's disabled token that was never used": [
      ['v1', [seed, v1, disabled(setByOperator('buried', 15)), v2], 'v2'],
      ['saved_not_recorded', 'v2'],
    ],
    "with an older copy of the record, the family of an operator's token of the same second": [
      ['v1', [seed, v1, disabled(setByOperator('new', 10)), saved('n1', 20, 'new', 5)], 'n1'],
      ['saved_not_recorded', 'n1'],
    ],
    "with an older copy of the record, the family of an operator's token, not the first seed: all of one second":
      [
        ['v1', [disabled(setByOperator('p', 10)), v1, setByOperator('q', 10), saved('q1', 20, 'q', 5)], 'q1'],
        ['saved_not_recorded', 'q1'],
      ],
    "the recorded copy of an operator's token, not the token of the same second": [
      ['n1', [seed, v1, setByOperator('new', 20), saved('n1', 20, 'new', 5)], 'n1'],
      ['unchanged', 'n1'],
    ],
    "with an older copy of the record, the family of an operator's token that is disabled": [
      ['v1', [seed, v1, disabled(setByOperator('new', 15)), saved('n1', 20, 'new', 5)], 'n1'],
      ['saved_not_recorded', 'n1'],
    ],
    "an operator's token that is older than a copy of the recorded version, but newer than its first writing":
      [
        ['copy', [v1, v2, setByOperator('q', 25), saved('copy', 30, 'v1', 1)], 'copy'],
        ['set_by_operator', 'q'],
      ],
    'nothing if the secret has no version': [['v1', [], 'v1'], ['gone']],
    'nothing if the secret never had a version': [[undefined, [], 'x'], ['gone']],
  };
  test.each(Object.entries(cases))('%s', (_, [input, expected]) => {
    expect(found(...input)).toEqual(expected);
  });
});

describe('what was obtained with a version that the vault lost', () => {
  const v2 = saved('v2', 20, 'v1', 3);
  const winner = (...others: SecretVersion[]) => {
    const record = recordNamed('crm', { version: 'v2', lostVersion: 'lost' });
    const found = currentVersion(record, [v2, ...others], others.at(-1)?.version ?? 'v2');
    return found.finding === 'gone' ? undefined : found.winner.version;
  };

  test('counts, and what was obtained with that', () => {
    expect(winner(saved('v4', 40, 'lost', 5))).toBe('v4');
    expect(winner(saved('v4', 40, 'lost', 5), saved('v5', 50, 'v4', 6))).toBe('v5');
  });

  test('does not count if it is older than the recorded one, by its time or its request: then the record is forged', () => {
    expect(winner(saved('old', 19, 'lost', 5))).toBe('v2');
    expect(winner(saved('old', 40, 'lost', 3))).toBe('v2');
  });
});

describe('forged tags', () => {
  const [seed, v1] = [disabled(setByOperator('p', 1)), disabled(changed(saved('v1', 10, 'p', 0)))];
  const v2 = changed(saved('v2', 20, 'v1', 1));
  const v3 = saved('v3', 30, 'v2', 2);
  const forged = (version: string, second: number, parent: string, epoch: number) =>
    changed(saved(version, second, parent, epoch));

  test.each<[string, SecretVersion[]]>([
    ['that make it a child of the recorded version', [seed, v1, forged('v2', 20, 'v3', 99), v3]],
    [
      'that make it a child, and the recorded version has lost its tags',
      [seed, v1, forged('v2', 20, 'v3', 99), changed(setByOperator('v3', 30))],
    ],
    [
      'that make it a copy, with another as its child',
      [seed, forged('v1', 10, 'v2', 2), forged('v2', 20, 'v1', 99), v3],
    ],
    [
      'that name a parent which never existed, as the recorded version does',
      [seed, forged('v1', 10, 'x', 7), forged('v2', 20, 'v1', 99), forged('v3', 30, 'x', 7)],
    ],
    [
      'that make another a copy of the recorded version, and its own are deleted',
      [seed, forged('v1', 10, 'x', 7), changed(setByOperator('v2', 20)), forged('v3', 30, 'x', 7)],
    ],
    ['that were deleted', [seed, v1, changed(setByOperator('v2', 20)), v3]],
  ])('do not make an older version win: tags %s', (_, versions) => {
    expect(found('v3', versions, 'v3')).toEqual(['unchanged', 'v3']);
  });

  test('do not make a superseded version win that was enabled again', () => {
    expect(found('v3', [seed, changed(saved('v1', 10, 'p', 0)), v2, v3], 'v3')).toEqual(['unchanged', 'v3']);
  });

  test('do not make an older version win that they call a copy, also if the recorded version is disabled', () => {
    const versions = [forged('v2', 20, 'x', 7), disabled(saved('v3', 30, 'x', 7))];
    expect(found('v3', versions, 'v3')).toEqual(['unchanged', 'v3']);
  });

  test('that form a circle end nothing but the search', () => {
    const circle = [forged('a', 30, 'b', 8), forged('b', 30, 'a', 9)];
    expect(found('b', circle, 'b')).toEqual(['saved_not_recorded', 'a']);
  });

  test('are reported if they name a newer parent; a version with them is not a copy of another', () => {
    const copies = [v2, forged('v1', 10, 'v2', 2), v3];
    expect(falseOrigins(copies)).toEqual(['v1']);
    expect(falseOrigins([v1, v2, v3, saved('same second', 30, 'v3', 3)])).toEqual([]);
    expect(falseOrigins([setByOperator('q', 5), v1])).toEqual([]);
    expect(found('v3', copies, 'v3')).toEqual(['unchanged', 'v3']);
  });
});

test('looks only a few times at each of 20,000 versions', () => {
  let looks = 0;
  const count = 20_000;
  const family = Array.from({ length: count }, (_, at) => {
    const version = saved(`v${at}`, at, `v${at - 1}`, at);
    const { tags } = version;
    const get = () => {
      looks += 1;
      return tags;
    };
    return Object.defineProperty(version, 'tags', { get, enumerable: true });
  });
  const twins = Array.from({ length: count }, (_, at) => saved(`t${at}`, count + at, `v${count - 1}`, count));
  for (const recorded of ['v0', `v${count - 1}`, undefined]) {
    const record = recordNamed('crm', recorded === undefined ? {} : { version: recorded });
    const found = currentVersion(record, [...family, ...twins], `t${count - 1}`);
    expect(found).toMatchObject({ finding: 'saved_not_recorded', winner: { version: `t${count - 1}` } });
  }
  expect(looks / count).toBeLessThan(30);
});

describe('the vault shows less than it has acknowledged', () => {
  const [v1, v2] = [saved('v1', 10, 'p', 0), saved('v2', 20, 'v1', 1)];
  const shows = (
    shown: { versions: SecretVersion[]; latest: SecretVersion; winner: SecretVersion },
    now: number,
    changes: Parameters<typeof recordNamed>[1] = {},
  ) => showsThePast(recordNamed('crm', { version: 'v2', ...changes }), shown.versions, shown, now);

  test('if the latest version is older than the one that counts, for a minute', () => {
    const shown = { versions: [v1, v2], latest: v1, winner: v2 };
    expect(shows(shown, 79_999)).toBe(true);
    expect(shows(shown, 80_000)).toBe(false);
  });

  test('not if the latest version is a late write: it is newer, or of the same second', () => {
    for (const second of [20, 30]) {
      const late = saved('late', second, 'p', 0);
      expect(shows({ versions: [v1, v2, late], latest: late, winner: v2 }, 30_000)).toBe(false);
    }
  });

  test('if no response shows the recorded version, for a minute after the last token request', () => {
    const shown = { versions: [v1], latest: v1, winner: v1 };
    expect(shows(shown, 79_999, { rotatedAt: 20_000 })).toBe(true);
    expect(shows(shown, 80_000, { rotatedAt: 20_000 })).toBe(false);
    const phase = {
      state: 'requesting',
      startedAt: 30_000,
      firstStartedAt: 5_000,
      awaitedUntil: 90_000,
    } as const;
    expect(shows(shown, 89_999, { rotatedAt: 20_000, phase })).toBe(true);
    expect(shows(shown, 90_000, { rotatedAt: 20_000, phase })).toBe(false);
  });

  test('not if no version has been recorded', () => {
    const record = recordNamed('crm', { rotatedAt: 20_000 });
    expect(showsThePast(record, [v1], { latest: v1, winner: v1 }, 20_001)).toBe(false);
  });
});

test('all versions before the parent of the token that counts are superseded, except the latest version', () => {
  const versions = [
    setByOperator('p', 1),
    saved('v1', 10, 'p', 0),
    disabled(saved('v2', 20, 'v1', 1)),
    saved('v3', 30, 'v2', 2),
    saved('v4', 40, 'v3', 3),
    saved('v4b', 40, 'v3', 3),
    saved('late', 50, 'v1', 1),
  ];
  expect(supersededBy(saved('v4', 40, 'v3', 3), versions, 'late')).toEqual(['p', 'v1', 'v4b']);
});

test("if an operator's token counts, all versions before it are superseded", () => {
  const versions = [setByOperator('p', 1), saved('v1', 10, 'p', 0), setByOperator('new', 20)];
  expect(supersededBy(setByOperator('new', 20), versions, 'new')).toEqual(['p', 'v1']);
});

describe('the store that owns a refresh token, if it is not ours', () => {
  const origin = { connection: 'crm', parent: 'p', epoch: 1, generation: 1 };
  const own = savedTags({ ...origin, store: STORE }, {});
  const foreign = savedTags({ ...origin, store: 'other.example' }, {});
  const intent = { startedAt: 0, epoch: 1, store: 'other.example' };
  test.each([
    ['set by an operator', { team: 'crm' }, undefined],
    ['saved by us', own, undefined],
    ['saved by another store', foreign, 'other.example'],
    ['saved by us, with an intent of another store', withIntent(own, intent), 'other.example'],
    [
      'saved by another store, with our intent',
      withIntent(foreign, { ...intent, store: STORE }),
      'other.example',
    ],
  ])('%s', (_, tags, expected) => expect(foreignStore({ tags }, STORE)).toBe(expected));
});

describe('a finding', () => {
  const NOW = 1_767_225_600_000;
  const STARTED = NOW - 5_000;
  const announced = (version: SecretVersion, epoch: number): SecretVersion => ({
    ...version,
    tags: withIntent(version.tags, { startedAt: STARTED, epoch, store: STORE }),
  });
  const v2 = saved('v2', 20, 'v1', 2);
  const record = recordNamed('crm', { version: 'v1', epoch: 1, generation: 1, nextAttemptAt: 7 });
  const shown = tokenTimes(NOW - 60_000, NOW + 62_000);
  const phase = {
    state: 'requesting',
    startedAt: STARTED,
    firstStartedAt: STARTED,
    awaitedUntil: STARTED + 62_000,
  } as const;

  test('of an intent is new to a record with a lower epoch', () => {
    const { tags } = announced(v2, 3);
    expect(isUnknownIntent(tags, recordNamed('crm', { epoch: 2 }))).toBe(true);
    expect(isUnknownIntent(tags, recordNamed('crm', { epoch: 3 }))).toBe(false);
    expect(isUnknownIntent(v2.tags, recordNamed('crm', { epoch: 0 }))).toBe(false);
  });

  test.each([
    ['unchanged', v2, false],
    ['unchanged', announced(v2, 3), true],
    ['written_twice', v2, false],
    ['written_twice', announced(v2, 3), true],
    ['saved_not_recorded', v2, true],
    ['set_by_operator', announced(v2, 3), false],
  ] as const)('%s needs what is published: case %#', (finding, winner, expected) => {
    expect(lagsBehind(record, { finding, winner })).toBe(expected);
  });

  test.each(['unchanged', 'written_twice'] as const)(
    '%s needs what is published if a request is in flight, because a replay may revoke it',
    (finding) => {
      const requesting = { ...record, phase };
      expect(lagsBehind(requesting, { finding, winner: v2 })).toBe(true);
      expect(lagsBehind(requesting, { finding, winner: announced(v2, 1) })).toBe(true);
    },
  );

  test('unchanged takes over what is published only if it ends later than what the record knows', () => {
    const found = { finding: 'unchanged', winner: v2 } as const;
    const tokenAfter = (accessToken: ConnectionRecord['accessToken'], known = shown) =>
      reconciled({ ...record, accessToken: known }, found, NOW, accessToken).accessToken;
    const [earlier, later] = [tokenTimes(NOW - 60_000, NOW + 61_999), tokenTimes(NOW, NOW + 62_001)];
    expect(tokenAfter(later)).toBe(later);
    expect(tokenAfter(earlier)).toBe(shown);
    expect(tokenAfter({ ...shown })).toBe(shown);
    expect(reconciled(record, found, NOW, earlier)).toEqual({ ...record, accessToken: earlier });
  });

  test('written_twice names the copy, and takes over what is published', () => {
    const found = { finding: 'written_twice', winner: v2 } as const;
    expect(reconciled(record, found, NOW, shown)).toEqual({ ...record, version: 'v2', accessToken: shown });
  });

  test('recovers an intent without a grace period if it was not the first one with its version', () => {
    const found = { finding: 'unchanged', winner: announced(v2, 4) } as const;
    expect(reconciled(record, found, NOW, undefined).phase).toEqual({ ...phase, firstStartedAt: 0 });
  });

  test('recovers an intent that begins in the future as one that begins now', () => {
    const tags = withIntent(v2.tags, { startedAt: NOW + 100_000, epoch: 3, store: STORE });
    const found = { finding: 'unchanged', winner: { ...v2, tags } } as const;
    expect(reconciled(record, found, NOW, undefined).phase).toEqual({
      state: 'requesting',
      startedAt: NOW,
      firstStartedAt: NOW,
      awaitedUntil: NOW + 62_000,
    });
  });

  test('unchanged leaves the record as it is, also if the intent is known', () => {
    for (const winner of [v2, announced(v2, 1)])
      expect(reconciled(record, { finding: 'unchanged', winner }, NOW, undefined)).toBe(record);
  });

  test('written_twice names the copy', () => {
    const next = reconciled(record, { finding: 'written_twice', winner: v2 }, NOW, undefined);
    expect(next).toEqual({ ...record, version: 'v2' });
  });

  test.each(['unchanged', 'written_twice'] as const)('%s recovers an unknown intent', (finding) => {
    const version = finding === 'unchanged' ? 'v1' : 'v2';
    const next = reconciled(record, { finding, winner: announced(v2, 3) }, NOW, shown);
    expect(next).toEqual({ ...record, version, epoch: 3, phase, accessToken: shown });
  });

  test('set_by_operator starts a token family, due now, and forgets failures', () => {
    const seed = setByOperator('q', 30);
    const next = reconciled(
      failing(record, NOW),
      { finding: 'set_by_operator', winner: seed },
      NOW,
      undefined,
    );
    expect(next).toMatchObject({
      version: 'q',
      phase: { state: 'idle' },
      nextAttemptAt: NOW,
      familyStartedAt: NOW,
    });
    expect(next).not.toHaveProperty('failure');
  });

  test('saved_not_recorded follows the version, with what is published', () => {
    const found = { finding: 'saved_not_recorded', winner: v2 } as const;
    const next = { ...record, version: 'v2', epoch: 2, generation: 2, nextAttemptAt: NOW };
    expect(reconciled(record, found, NOW, undefined)).toEqual(next);
    expect(reconciled(record, found, NOW, shown)).toEqual({ ...next, accessToken: shown });
    const ahead = { ...record, epoch: 9, generation: 9 };
    expect(reconciled(ahead, found, NOW, undefined)).toMatchObject({ epoch: 9, generation: 9 });
  });

  test('saved_not_recorded recovers the intent of a request with that version', () => {
    const found = { finding: 'saved_not_recorded', winner: announced(v2, 3) } as const;
    expect(reconciled(record, found, NOW, shown)).toEqual({
      ...record,
      version: 'v2',
      epoch: 3,
      generation: 2,
      nextAttemptAt: NOW,
      phase,
      accessToken: shown,
    });
  });

  test('without an origin counts from the beginning', () => {
    const found = { finding: 'saved_not_recorded', winner: setByOperator('x', 30) } as const;
    expect(reconciled(recordNamed(), found, NOW, undefined)).toMatchObject({ epoch: 0, generation: 0 });
  });
});

describe('the response to a request that only the tags of another version announce', () => {
  const NOW = 1_767_225_600_000;
  const record = recordNamed('crm', { version: 'v2', epoch: 4 });
  const [v1, v2] = [saved('v1', 10, 'p', 3), saved('v2', 20, 'q', 4)];
  const announced = (version: SecretVersion, startedAt: number, epoch: number, store = OTHER_STORE) => ({
    ...version,
    tags: withIntent(version.tags, { startedAt, epoch, store }),
  });
  const cases: Record<string, [SecretVersion[], number | undefined]> = {
    'is not awaited if there is no announcement': [[setByOperator('p', 1), v1, v2], undefined],
    'is awaited for 62 s if another rotator sent it': [[announced(v1, NOW - 10_000, 4), v2], NOW + 52_000],
    'is awaited if another rotator sent it with an epoch that the record does not know': [
      [announced(v1, NOW - 10_000, 5), v2],
      NOW + 52_000,
    ],
    'is awaited if this rotator sent it, and the record does not know that': [
      [announced(v1, NOW - 10_000, 5, STORE), v2],
      NOW + 52_000,
    ],
    'is not awaited if the record knows the request': [
      [announced(v1, NOW - 10_000, 4, STORE), v2],
      undefined,
    ],
    'is not awaited here if the request was sent with the same version': [
      [v1, announced(v2, NOW - 10_000, 5)],
      undefined,
    ],
    'is awaited until the last moment': [[announced(v1, NOW - 61_999, 4), v2], NOW + 1],
    'is not awaited any more after that': [[announced(v1, NOW - 62_000, 4), v2], undefined],
    'is awaited from now on if the clock of the sender is ahead': [
      [announced(v1, NOW + 300_000, 4), v2],
      NOW + 62_000,
    ],
    'is not awaited if its time is further in the future than clocks differ': [
      [announced(v1, NOW + 300_001, 4), v2],
      undefined,
    ],
    'is not awaited if its token was saved': [
      [announced(v1, NOW - 10_000, 4), v2, saved('v3', 30, 'v1', 4)],
      undefined,
    ],
    'is not awaited if its token was saved, although a saved one has a later epoch': [
      [announced(v1, NOW - 10_000, 3), v2, saved('v3', 30, 'v1', 3)],
      undefined,
    ],
    'is awaited if only the token of the request was saved that repeated it': [
      [announced(v1, NOW - 10_000, 5), v2, saved('v3', 30, 'v1', 5)],
      NOW + 52_000,
    ],
    'is awaited if what else was saved came from requests of other times': [
      [announced(v1, NOW - 10_000, 5), v2, saved('v3', 30, 'v1', 3), saved('v4', 31, 'v1', 6)],
      NOW + 52_000,
    ],
    'is not awaited if its token was saved after that of the request before': [
      [announced(v1, NOW - 10_000, 5), v2, saved('v3', 30, 'v1', 4), saved('v4', 31, 'v1', 5)],
      undefined,
    ],
    'is awaited if only the token of the request before was saved': [
      [announced(v1, NOW - 10_000, 5), v2, saved('v3', 30, 'v1', 4)],
      NOW + 52_000,
    ],
    'is awaited until the last of several may arrive': [
      [announced(v1, NOW - 10_000, 5), announced(saved('w', 15, 'x', 3), NOW - 5_000, 4), v2],
      NOW + 57_000,
    ],
    'is awaited if the token of only one of several requests was saved': [
      [
        announced(v1, NOW - 10_000, 5),
        announced(saved('w', 15, 'x', 3), NOW - 5_000, 4),
        v2,
        saved('v3', 30, 'w', 4),
      ],
      NOW + 52_000,
    ],
  };
  test.each(Object.entries(cases))('%s', (_, [versions, expected]) => {
    expect(awaitedElsewhere(record, versions, { sent: v2, store: STORE, now: NOW })).toBe(expected);
  });
});

describe('the versions to disable', () => {
  const sent = saved('v2', 20, 'v1', 1);

  test('are those found, and the parent of the one that was sent after a save', () => {
    expect(toDisable(new Set(['a', 'b']), sent, true)).toEqual(['a', 'b', 'v1']);
  });

  test('never include the token in use or its parent', () => {
    expect(toDisable(new Set(['v2', 'v1', 'a']), sent, true)).toEqual(['v1', 'a']);
    expect(toDisable(new Set(['v2', 'v1', 'a']), sent, false)).toEqual(['a']);
  });

  test('are an empty list if nothing was found and nothing was saved, or the parent is unknown', () => {
    expect(toDisable(new Set(), sent, false)).toEqual([]);
    expect(toDisable(new Set(), setByOperator('p', 1), true)).toEqual([]);
  });

  test('are at most 25 in one rotation', () => {
    const many = new Set(Array.from({ length: 40 }, (_, index) => `x${index}`));
    expect(toDisable(many, sent, false)).toHaveLength(25);
  });
});
