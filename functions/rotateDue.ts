import { app } from '@azure/functions';
import { json, respond } from './responses.ts';
import { rotator } from './rotator.ts';

app.http('rotateDue', {
  methods: ['POST'],
  authLevel: 'function',
  route: 'rotate',
  handler: (request) =>
    respond(request, async () => {
      const summary = await rotator().sweep();
      const { retrying = 0, blocked = 0 } = summary.results;
      return json(summary, retrying + blocked > 0 ? 207 : 200);
    }),
});
