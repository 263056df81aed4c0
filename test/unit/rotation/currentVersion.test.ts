import { describe, expect, test } from 'vitest';
import { currentVersion, supersededBy } from '../../../lib/rotation/core/currentVersion.ts';
import { foreignStore, savedTags, withIntent } from '../../../lib/rotation/core/tags.ts';
import type { SecretVersion } from '../../../lib/rotation/ports.ts';
import { STORE } from './world/connection.ts';
import { recordNamed } from './world/record.ts';

const person = (version: string, second: number): SecretVersion => ({
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

const found = (version: string | undefined, versions: SecretVersion[], latest: string): [string, string?] => {
  const record = recordNamed('crm', version === undefined ? {} : { version });
  // The vault lists versions in no particular order: every order must find the same.
  const findings = [versions, versions.toReversed()].map((each) => currentVersion(record, each, latest));
  expect(findings[1]).toEqual(findings[0]);
  const finding = findings[0];
  if (!finding || finding.finding === 'gone') return ['gone'];
  return [finding.finding, finding.winner.version];
};

describe('which refresh token counts', () => {
  const seed = person('p', 1);
  const v1 = saved('v1', 10, 'p', 0);
  const v2 = saved('v2', 20, 'v1', 1);
  const cases: Record<string, [[string | undefined, SecretVersion[], string], [string, string?]]> = {
    'the first seed': [
      [undefined, [seed], 'p'],
      ['set_by_operator', 'p'],
    ],
    'nothing newer than recorded': [
      ['v1', [seed, v1], 'v1'],
      ['unchanged', 'v1'],
    ],
    'a save that was not recorded': [
      ['v1', [seed, v1, v2], 'v2'],
      ['saved_not_recorded', 'v2'],
    ],
    "a person's newer token": [
      ['v1', [seed, v1, person('q', 15)], 'q'],
      ['set_by_operator', 'q'],
    ],
    "the newest of a person's tokens": [
      ['v1', [seed, v1, person('q', 15), person('r', 16)], 'r'],
      ['set_by_operator', 'r'],
    ],
    "of a person's tokens of the same second, the latest": [
      ['v1', [seed, v1, person('q', 15), person('r', 15)], 'r'],
      ['set_by_operator', 'r'],
    ],
    "a person's token beneath a late write": [
      ['v1', [seed, v1, person('q', 15), v2], 'v2'],
      ['set_by_operator', 'q'],
    ],
    "a person's older token does not count": [
      ['v1', [seed, person('q', 9), v1], 'v1'],
      ['unchanged', 'v1'],
    ],
    "a person's token of the same second counts where it is the latest": [
      ['v1', [v1, person('q', 10)], 'q'],
      ['set_by_operator', 'q'],
    ],
    "a person's token of the same second does not count where the recorded one is the latest": [
      ['v1', [seed, v1, person('q', 10)], 'v1'],
      ['unchanged', 'v1'],
    ],
    "a person's token that is recorded already is no news": [
      ['q', [seed, v1, person('q', 15)], 'q'],
      ['unchanged', 'q'],
    ],
    'a seed of the same second as its copy does not': [
      ['v1', [person('p', 10), v1], 'v1'],
      ['unchanged', 'v1'],
    ],
    'of several children, the one with the highest epoch': [
      ['v1', [v1, saved('a', 30, 'v1', 1), saved('b', 25, 'v1', 3), saved('c', 35, 'v1', 2)], 'c'],
      ['saved_not_recorded', 'b'],
    ],
    'a late write is no child of the recorded version': [
      ['v2', [seed, v1, v2, saved('late', 30, 'p', 0)], 'late'],
      ['unchanged', 'v2'],
    ],
    'a save written twice: the newer copy of the same token': [
      ['v2', [v1, v2, saved('twin', 21, 'v1', 1)], 'twin'],
      ['written_twice', 'twin'],
    ],
    'a save written twice within a second: the latest': [
      ['v2', [v1, saved('twin', 20, 'v1', 1), v2], 'v2'],
      ['unchanged', 'v2'],
    ],
    'a child of the recorded version before a twin of it': [
      ['v2', [v1, v2, saved('twin', 21, 'v1', 1), saved('v3', 30, 'v2', 2)], 'v3'],
      ['saved_not_recorded', 'v3'],
    ],
    'a child of the recorded token, obtained with the first of two copies of it': [
      ['copy', [v1, v2, saved('v3', 25, 'v2', 2), saved('copy', 26, 'v1', 1)], 'copy'],
      ['saved_not_recorded', 'v3'],
    ],
    'the record is lost: the save with the highest epoch': [
      [undefined, [seed, v1, v2, saved('late', 30, 'p', 0)], 'late'],
      ['saved_not_recorded', 'v2'],
    ],
    'the record is lost, and a person set a newer token': [
      [undefined, [seed, v1, v2, person('q', 30)], 'q'],
      ['set_by_operator', 'q'],
    ],
    'the record is lost a second time: the chain of the newest seed': [
      [undefined, [seed, v1, saved('v9', 20, 'v1', 9), person('q', 30), saved('q1', 31, 'q', 0)], 'q1'],
      ['saved_not_recorded', 'q1'],
    ],
    'the record is an older copy: the end of the chain': [
      ['v1', [seed, v1, v2, saved('v3', 30, 'v2', 2)], 'v3'],
      ['saved_not_recorded', 'v3'],
    ],
    'the recorded version is gone: the save with the highest epoch': [
      ['purged', [v1, v2], 'v2'],
      ['saved_not_recorded', 'v2'],
    ],
    'of two copies of the same second the one that can be read': [
      ['v1', [seed, v1, disabled(v2), saved('v2b', 20, 'v1', 1), saved('late', 30, 'p', 0)], 'late'],
      ['saved_not_recorded', 'v2b'],
    ],
    'a newer copy that cannot be read: the recorded one stays': [
      ['v2', [seed, v1, v2, disabled(saved('v2b', 25, 'v1', 1))], 'v2b'],
      ['unchanged', 'v2'],
    ],
    'no copy can be read: the newest': [
      ['v1', [seed, v1, disabled(v2)], 'v2'],
      ['saved_not_recorded', 'v2'],
    ],
    'an older copy of the record, and a buried token of a person that is out of use since: the chain': [
      ['v1', [seed, v1, disabled(person('buried', 15)), v2], 'v2'],
      ['saved_not_recorded', 'v2'],
    ],
    "an older copy of the record, and a person's token of the same second whose chain went on": [
      ['v1', [seed, v1, disabled(person('new', 10)), saved('n1', 20, 'new', 5)], 'n1'],
      ['saved_not_recorded', 'n1'],
    ],
    "a person's token and our copy of it in the same second: the copy stays": [
      ['n1', [seed, v1, person('new', 20), saved('n1', 20, 'new', 5)], 'n1'],
      ['unchanged', 'n1'],
    ],
    "an older copy of the record, and a person's token whose chain went on without it": [
      ['v1', [seed, v1, disabled(person('new', 15)), saved('n1', 20, 'new', 5)], 'n1'],
      ['saved_not_recorded', 'n1'],
    ],
    'there is no version': [['v1', [], 'v1'], ['gone']],
    'there never was one': [[undefined, [], 'x'], ['gone']],
  };
  test.each(Object.entries(cases))('%s', (_, [input, expected]) => {
    expect(found(...input)).toEqual(expected);
  });
});

test('what came before the token that counts and its parent is of no use, but for the latest version', () => {
  const versions = [
    person('p', 1),
    saved('v1', 10, 'p', 0),
    disabled(saved('v2', 20, 'v1', 1)),
    saved('v3', 30, 'v2', 2),
    saved('v4', 40, 'v3', 3),
    saved('v4b', 40, 'v3', 3),
    saved('late', 50, 'v1', 1),
  ];
  expect(supersededBy(saved('v4', 40, 'v3', 3), versions, 'late')).toEqual(['p', 'v1', 'v4b']);
});

test("where a person's token counts, all that came before it is of no use", () => {
  const versions = [person('p', 1), saved('v1', 10, 'p', 0), person('new', 20)];
  expect(supersededBy(person('new', 20), versions, 'new')).toEqual(['p', 'v1']);
});

describe('whose a refresh token is', () => {
  const origin = { connection: 'crm', parent: 'p', epoch: 1, generation: 1 };
  const own = savedTags({ ...origin, store: STORE }, {});
  const foreign = savedTags({ ...origin, store: 'other.example' }, {});
  const intent = { startedAt: 0, epoch: 1, store: 'other.example' };
  test.each([
    ["a person's", { team: 'crm' }, undefined],
    ['ours', own, undefined],
    ['saved under another store', foreign, 'other.example'],
    ['ours, with an intent of another store', withIntent(own, intent), 'other.example'],
    ["another store's, with our intent", withIntent(foreign, { ...intent, store: STORE }), 'other.example'],
  ])('%s', (_, tags, expected) => expect(foreignStore({ tags }, STORE)).toBe(expected));
});
