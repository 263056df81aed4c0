import { app } from '@azure/functions';
import { json, respond } from './responses.ts';
import { rotator } from './rotator.ts';

app.http('connectionStatus', {
  methods: ['GET'],
  authLevel: 'function',
  route: 'connections/{name?}',
  handler: (request) =>
    respond(request, async () => {
      const { name } = request.params;
      if (name) return json(await rotator().status(name));
      return json(await rotator().overview());
    }),
});
