import { app } from '@azure/functions';
import { problemResponse, respond, rotationResponse } from './responses.ts';
import { rotator } from './rotator.ts';

/** `?force` without a value means true. */
const FORCE: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['', true],
  ['false', false],
  ['0', false],
]);
const WRONG_FORCE = {
  code: 'parameter_invalid',
  message: 'The value of the parameter force is not true or false.',
  fix: 'Set force=true, or remove it.',
} as const;
/** The rotator's own parameter and those of the platform: the function key, and the name of the key. */
const PARAMETERS = /^(force|[Cc]ode|[Cc]lient[Ii]d)$/;
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
      const isKnown = [...request.query.keys()].every((name) => PARAMETERS.test(name));
      if (!isKnown) return problemResponse(UNKNOWN_PARAMETER);
      const force = FORCE.get(request.query.get('force') ?? 'false');
      if (force === undefined) return problemResponse(WRONG_FORCE);
      return rotationResponse(await rotator().rotate(request.params.name ?? '', force));
    }),
});
