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
      const overview = await rotator().overview();
      const configuration = await rotator().configurationProblem();
      return json({ ...overview, ...(configuration && { configuration }) });
    }),
});
