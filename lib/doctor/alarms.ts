import type { Settings } from '../config/settings.ts';
import { type Check, warning } from './check.ts';

/** Without a setting that says so, this machine does not know the deployment; the local stack has no alarms. */
export function alarmChecks({
  alarmRecipients,
  allowLoopbackHttp,
}: Pick<Settings, 'alarmRecipients' | 'allowLoopbackHttp'>): Check[] {
  if (allowLoopbackHttp || (alarmRecipients ?? 0) > 0) return [];
  const message =
    alarmRecipients === undefined
      ? 'ALARM_RECIPIENTS is not set, so this command does not know whether alarms reach an operator.'
      : 'The deployment sends alarms to no address: they appear in the Azure portal only.';
  return [
    warning(
      'alarms',
      message,
      'Deploy with addresses in alarmEmails, and set ALARM_RECIPIENTS to their number.',
    ),
  ];
}
