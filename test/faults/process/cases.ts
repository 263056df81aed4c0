import type { LocalConnection } from '../../../local/connections.ts';
import { localConnection } from '../../support/localConnection.ts';
import type { Moment, Strike } from './faultProxy.ts';

/** How a provider treats a used refresh token: revokes all, takes it for another minute, or never replaces it. */
export type Provider = 'strict' | 'grace' | 'reusable';

/** One request of a rotation: the `nth` of its operation. The secret's name follows the connection's. */
export interface Step {
  readonly does: string;
  readonly operation: string;
  readonly nth: number;
}

/**
 * What is to be seen in the end.
 * - `fresh`: a new access token works, and the chain goes on
 * - `reauthorization_required`: the chain is dead, and reported with its cause
 */
export type Outcome = 'fresh' | 'reauthorization_required';

/** What is brought down on a step. */
type Fault =
  | { readonly kind: 'kill' }
  | { readonly kind: 'freeze'; readonly ms: number }
  | { readonly kind: 'strike'; readonly name: string; readonly strike: Strike };

/** A row of the failure matrix, and a test. */
export interface Case {
  readonly step: Step;
  readonly moment: Moment;
  readonly fault: Fault;
  readonly provider: Provider;
  readonly outcome: Outcome;
}

const step = (does: string, operation: string, nth = 1): Step => ({ does, operation, nth });

export const GRANT = step('the grant', 'grant');
export const SAVE = step('save the refresh token', 'put refresh-token');
const DISABLE = step('disable the version before the last', 'tag refresh-token', 2);
export const ANNOUNCE = step('announce the grant in the vault', 'tag refresh-token');

/** What a rotation in the steady state asks for, in this order. */
const STEPS: readonly Step[] = [
  step('take the lease', 'lease'),
  step('read the record', 'read'),
  step('read the refresh token', 'get refresh-token'),
  step('announce the grant in the record', 'write'),
  ANNOUNCE,
  GRANT,
  SAVE,
  step('publish the access token', 'put access-token'),
  DISABLE,
  step('record the outcome', 'write', 2),
  step('give the lease back', 'release'),
];

const PROVIDERS: readonly Provider[] = ['strict', 'grace', 'reusable'];
const MOMENTS: readonly Moment[] = ['before_forwarding', 'after_execution', 'after_response'];

/** A token that never changes is not saved again, and none comes before it. */
function stepsOf(provider: Provider): readonly Step[] {
  return provider === 'reusable' ? STEPS.filter((each) => each !== SAVE && each !== DISABLE) : STEPS;
}

/** A killed process takes with it what only it knew: the answer of a provider that takes a used token for theft. */
function outcomeOfKill(at: Step, moment: Moment, provider: Provider): Outcome {
  if (provider !== 'strict') return 'fresh';
  const granted = at === GRANT && moment !== 'before_forwarding';
  const unsaved = at === SAVE && moment === 'before_forwarding';
  return granted || unsaved ? 'reauthorization_required' : 'fresh';
}

export const KILLS: readonly Case[] = PROVIDERS.flatMap((provider) =>
  stepsOf(provider).flatMap((at) =>
    MOMENTS.map((moment) => ({
      step: at,
      moment,
      fault: { kind: 'kill' } as const,
      provider,
      outcome: outcomeOfKill(at, moment, provider),
    })),
  ),
);

/** Longer than the lease; and so long that another process has repeated the grant. */
const STOPS_MS = [20_000, 40_000] as const;

export const FREEZES: readonly Case[] = PROVIDERS.flatMap((provider) =>
  STOPS_MS.flatMap((ms) =>
    stepsOf(provider).map((at): Case => {
      const fault = { kind: 'freeze', ms } as const;
      const repeated = provider === 'strict' && at === GRANT && ms === 40_000;
      const outcome = repeated ? 'reauthorization_required' : 'fresh';
      return { step: at, moment: 'after_execution', fault, provider, outcome };
    }),
  ),
);

const ANSWERS: readonly { name: string; strike: Strike; lost: boolean }[] = [
  { name: 'lost', strike: { kind: 'lose' }, lost: true },
  { name: 'cut off in the middle', strike: { kind: 'truncate' }, lost: true },
  { name: 'replaced by a 500', strike: { kind: 'answer', status: 500 }, lost: true },
  { name: 'slow, but in time', strike: { kind: 'drip', everyMs: 5 }, lost: false },
];

export const LOST_RESPONSES: readonly Case[] = PROVIDERS.flatMap((provider) =>
  ANSWERS.map(({ name, strike, lost }) => ({
    step: GRANT,
    moment: 'after_execution' as const,
    fault: { kind: 'strike' as const, name, strike },
    provider,
    outcome: lost && provider === 'strict' ? ('reauthorization_required' as const) : ('fresh' as const),
  })),
);

/** The connection of a case; its name holds the case's number, because each case needs its own. */
export function connectionOf(provider: Provider, name: string): LocalConnection {
  const rotation = ({ strict: 'single_use', grace: 'grace', reusable: 'none' } as const)[provider];
  return localConnection(name, { rotation, ...(rotation === 'grace' && { graceSeconds: 60 }) });
}

/** The test's name; the failure matrix in the documentation shows it as well. */
export function titleOf({ step: { does }, moment, fault, provider, outcome }: Case): string {
  const what = {
    kill: () => 'killed',
    freeze: () => `stopped for ${fault.kind === 'freeze' ? fault.ms / 1000 : 0} s`,
    strike: () => `answer ${fault.kind === 'strike' ? fault.name : ''}`,
  }[fault.kind]();
  return `${provider}: ${does}, ${moment.replace('_', ' ')}, ${what}: ${outcome}`;
}

/**
 * All cases with `vitest --mode full`, else every `nth`.
 * @param from the first that is taken
 */
export function slice<T>(cases: readonly T[], nth: number, from = 0): readonly T[] {
  if (process.env.MODE === 'full') return cases;
  return cases.filter((_, index) => index % nth === from);
}
