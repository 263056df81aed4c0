import { app } from '@azure/functions';
import { answering, json } from './answers.ts';
import { rotator } from './rotator.ts';

app.http('rotateDue', {
  methods: ['POST'],
  authLevel: 'function',
  route: 'rotate',
  handler: (request) =>
    answering(request, async () => {
      const summary = await rotator().sweep();
      const { failed = 0, blocked = 0 } = summary.results;
      return json(summary, failed + blocked > 0 ? 207 : 200);
    }),
});
