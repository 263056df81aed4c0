import { expect, test } from 'vitest';
import { alarmChecks } from '../../../lib/doctor/alarms.ts';

test.each([
  ['none', { alarmRecipients: 0 }, 'to no address'],
  ['an unknown number', {}, 'ALARM_RECIPIENTS is not set'],
])('a deployment with %s of addresses for alarms gets a warning', (_, settings, words) => {
  const checks = alarmChecks({ ...settings, allowLoopbackHttp: false });
  expect(checks).toMatchObject([{ level: 'warning', message: expect.stringContaining(words) }]);
});

test.each([
  ['a deployment with an address', { alarmRecipients: 1, allowLoopbackHttp: false }],
  ['the local stack', { allowLoopbackHttp: true }],
])('%s gets none', (_, settings) => {
  expect(alarmChecks(settings)).toEqual([]);
});
