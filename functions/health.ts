import { app } from '@azure/functions';
import { answeringAnybody, json } from './responses.ts';
import { rotator } from './rotator.ts';

app.http('health', {
  methods: ['GET', 'HEAD'],
  authLevel: 'anonymous',
  route: 'health',
  // Anybody may ask, so the answer tells nothing but yes or no; the cause is in the log.
  handler: (request) =>
    answeringAnybody(request, async () => {
      try {
        await rotator().checkReady();
        return json({ status: 'ok' });
      } catch {
        return json({ status: 'unavailable' }, 503);
      }
    }),
});
