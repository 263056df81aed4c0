import { app } from '@azure/functions';
import { json, respondAnonymously } from './responses.ts';
import { rotator } from './rotator.ts';

app.http('health', {
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  route: 'health',
  // The endpoint is anonymous, so the response says only yes or no; the cause is in the log.
  handler: (request) =>
    respondAnonymously(request, async () => {
      try {
        await rotator().checkReady();
        return json({ status: 'ok' });
      } catch {
        return json({ status: 'unavailable' }, 503);
      }
    }),
});
