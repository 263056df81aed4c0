import { app } from '@azure/functions';
import { type Choice, removalDocument } from '../lib/rotator.ts';
import { flagOf, json, PLATFORM_PARAMETER, problemResponse, respond } from './responses.ts';
import { rotator } from './rotator.ts';

const WRONG_PARAMETERS = {
  code: 'parameter_invalid',
  message: 'The query must have one of the parameters name, provider and all=true, and may have revoke=true.',
  fix: 'Send POST /api/remove?name=NAME&revoke=true, or provider=ID or all=true instead of name.',
} as const;
const OWN = ['name', 'provider', 'all', 'revoke'];

app.http('removeConnections', {
  methods: ['POST'],
  // It stops connections, which callers that may rotate them must not do: it needs the master key.
  authLevel: 'admin',
  route: 'remove',
  handler: (request) =>
    respond(request, async () => {
      const choice = choiceIn(request.query);
      const revoke = flagOf(request.query.get('revoke'));
      if (!choice || revoke === undefined) return problemResponse(WRONG_PARAMETERS);
      const removals = await rotator().remove(choice, revoke);
      const isDone = removals.every(({ problems }) => problems.length === 0);
      return json({ removals: removals.map(removalDocument) }, isDone ? 200 : 207);
    }),
});

function choiceIn(query: URLSearchParams): Choice | undefined {
  const keys = [...query.keys()];
  if (!keys.every((key) => OWN.includes(key) || PLATFORM_PARAMETER.test(key))) return undefined;
  const [chosen, ...more] = keys.filter((key) => ['name', 'provider', 'all'].includes(key));
  const value = query.get(chosen ?? '') ?? '';
  if (more.length > 0 || value === '') return undefined;
  if (chosen === 'name') return { name: value };
  if (chosen === 'provider') return { provider: value };
  return flagOf(value) ? { all: true } : undefined;
}
