import { app } from '@azure/functions';
import { answering, rotationAnswer } from './answers.ts';
import { rotator } from './rotator.ts';

app.http('rotateConnection', {
  methods: ['POST'],
  authLevel: 'function',
  route: 'connections/{name}/rotate',
  handler: (request) =>
    answering(request, async () => {
      const force = ['true', '1', ''].includes(request.query.get('force') ?? 'false');
      return rotationAnswer(await rotator().rotate(request.params.name ?? '', force));
    }),
});
