import { app } from '@azure/functions';
import { json, respondAnonymously } from './responses.ts';
import { rotator } from './rotator.ts';

/** The endpoint is anonymous, and messages may name addresses: the cause is in the log and in `/api/connections`. */
const UNREADABLE = {
  message:
    'The rotator cannot read its connections. It keeps rotating the last valid ones, if it has read any.',
  fix: 'Get /api/connections with a key, or run rotator doctor, for the reason.',
};

const SILENT = {
  message:
    'No sweep has run for four schedule intervals. This call has started one, unless the last one failed.',
  fix: 'Keep probing, and follow the runbook of the alarm noSweep in docs/alarms.md.',
};

app.http('health', {
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  route: 'health',
  handler: (request) =>
    respondAnonymously(request, async () => {
      try {
        const { checkedAt, isReady, isSilent, configuration } = await rotator().readiness();
        const body = {
          status: isReady ? 'ok' : 'unavailable',
          // The endpoint is anonymous, so many calls cost as much as one: the answer may be ten seconds old.
          checked: new Date(checkedAt).toISOString(),
          ...(isSilent && SILENT),
          ...(configuration && { configuration: { ...UNREADABLE, since: configuration.since } }),
        };
        return json(body, isReady ? 200 : 503);
      } catch {
        return json({ status: 'unavailable' }, 503);
      }
    }),
});
