import { app } from '@azure/functions';
import { flagOf, PLATFORM_PARAMETER, problemResponse, respond, rotationResponse } from './responses.ts';
import { rotator } from './rotator.ts';

const WRONG_FORCE = {
  code: 'parameter_invalid',
  message: 'The value of the parameter force is not true or false.',
  fix: 'Set force=true, or remove it.',
} as const;
const UNKNOWN_PARAMETER = {
  code: 'parameter_invalid',
  message: 'The request URL has an unknown parameter.',
  fix: 'Remove every query parameter except force.',
} as const;

app.http('rotateConnection', {
  methods: ['POST'],
  authLevel: 'function',
  route: 'connections/{name}/rotate',
  handler: (request) =>
    respond(request, async () => {
      const isKnown = [...request.query.keys()].every(
        (name) => name === 'force' || PLATFORM_PARAMETER.test(name),
      );
      if (!isKnown) return problemResponse(UNKNOWN_PARAMETER);
      const force = flagOf(request.query.get('force'));
      if (force === undefined) return problemResponse(WRONG_FORCE);
      return rotationResponse(await rotator().rotate(request.params.name ?? '', force));
    }),
});
