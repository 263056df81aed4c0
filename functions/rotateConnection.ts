import { app } from '@azure/functions';
import { answering, problemResponse, rotationResponse } from './responses.ts';
import { rotator } from './rotator.ts';

/** `?force` alone is meant as yes. */
const FORCE: ReadonlyMap<string, boolean> = new Map([
  ['true', true],
  ['1', true],
  ['', true],
  ['false', false],
  ['0', false],
]);
const WRONG_FORCE = {
  code: 'parameter_invalid',
  message: 'The parameter force is neither true nor false.',
  fix: 'Give force=true, or leave it out.',
} as const;
/** Beside ours those of the platform: the function's key, and the name of the key. */
const PARAMETERS = /^(force|[Cc]ode|[Cc]lient[Ii]d)$/;
const UNKNOWN_PARAMETER = {
  code: 'parameter_invalid',
  message: 'The address has a parameter that is not known.',
  fix: 'Give force=true, or leave it out; there is no other parameter.',
} as const;

app.http('rotateConnection', {
  methods: ['POST'],
  authLevel: 'function',
  route: 'connections/{name}/rotate',
  handler: (request) =>
    answering(request, async () => {
      const isKnown = [...request.query.keys()].every((name) => PARAMETERS.test(name));
      if (!isKnown) return problemResponse(UNKNOWN_PARAMETER);
      const force = FORCE.get(request.query.get('force') ?? 'false');
      if (force === undefined) return problemResponse(WRONG_FORCE);
      return rotationResponse(await rotator().rotate(request.params.name ?? '', force));
    }),
});
