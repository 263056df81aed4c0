import type { LocalConnection } from '../../../local/connections.ts';
import { localConnection } from '../../support/localConnection.ts';
import type { Moment, Strike } from './faultProxy.ts';

/** How a provider treats a used refresh token: revokes the token family, accepts it for another minute, or never replaces it. */
export type Provider = 'strict' | 'grace' | 'reusable';

/** One request of a rotation: the `nth` of its operation. The secret's name follows the connection's. */
export interface Step {
  readonly does: string;
  readonly operation: string;
  readonly nth: number;
}

/**
 * The expected state of the connection in the end.
 * - `fresh`: a new access token works, and the stored refresh token brings another one
 * - `reauthorization_required`: the provider revoked the token family, and the rotator reports it with its cause
 */
export type Outcome = 'fresh' | 'reauthorization_required';

/** The fault that a case injects into its step. */
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

export const GRANT = step('send the token request', 'grant');
export const SAVE = step('save the refresh token', 'put refresh-token');
const DISABLE = step('disable the version before the last', 'tag refresh-token', 2);
export const ANNOUNCE = step('record the intent in the vault', 'tag refresh-token');

/** The requests of a rotation in the steady state, in this order. */
const STEPS: readonly Step[] = [
  step('take the lease', 'lease'),
  step('read the record', 'read'),
  step('read the refresh token', 'get refresh-token'),
  step('record the intent in the record', 'write'),
  ANNOUNCE,
  GRANT,
  SAVE,
  step('publish the access token', 'put access-token'),
  DISABLE,
  step('record the outcome', 'write', 2),
  step('release the lease', 'release'),
];

const PROVIDERS: readonly Provider[] = ['strict', 'grace', 'reusable'];
const MOMENTS: readonly Moment[] = ['before_forwarding', 'after_execution', 'after_response'];

/** A rotation does not save a token that never changes, and has no earlier version to disable. */
function stepsOf(provider: Provider): readonly Step[] {
  return provider === 'reusable' ? STEPS.filter((each) => each !== SAVE && each !== DISABLE) : STEPS;
}

/** A killed process loses a token response that only it knew. A strict provider then revokes the token family. */
function outcomeOfKill(at: Step, moment: Moment, provider: Provider): Outcome {
  if (provider !== 'strict') return 'fresh';
  const executed = at === GRANT && moment !== 'before_forwarding';
  const unsaved = at === SAVE && moment === 'before_forwarding';
  return executed || unsaved ? 'reauthorization_required' : 'fresh';
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

/** Longer than the lease; and so long that another process has repeated the token request. */
const STOPS_MS = [20_000, 80_000] as const;

export const FREEZES: readonly Case[] = PROVIDERS.flatMap((provider) =>
  STOPS_MS.flatMap((ms) =>
    stepsOf(provider).map((at): Case => {
      const fault = { kind: 'freeze', ms } as const;
      const repeated = provider === 'strict' && at === GRANT && ms === 80_000;
      const outcome = repeated ? 'reauthorization_required' : 'fresh';
      return { step: at, moment: 'after_execution', fault, provider, outcome };
    }),
  ),
);

const RESPONSES: readonly { name: string; strike: Strike; lost: boolean }[] = [
  { name: 'lost', strike: { kind: 'lose' }, lost: true },
  { name: 'cut off in the middle', strike: { kind: 'truncate' }, lost: true },
  { name: 'replaced by a 500', strike: { kind: 'answer', status: 500 }, lost: true },
  {
    name: 'behind a 100 Continue that the client did not ask for',
    strike: { kind: 'continue' },
    lost: false,
  },
  { name: 'that drips', strike: { kind: 'drip', everyMs: 5 }, lost: false },
  { name: '20 s late, after the lease could have ended', strike: { kind: 'wait', ms: 20_000 }, lost: false },
];

export const LOST_RESPONSES: readonly Case[] = PROVIDERS.flatMap((provider) =>
  RESPONSES.map(({ name, strike, lost }) => ({
    step: GRANT,
    moment: 'after_execution' as const,
    fault: { kind: 'strike' as const, name, strike },
    provider,
    outcome: lost && provider === 'strict' ? ('reauthorization_required' as const) : ('fresh' as const),
  })),
);

/** The connection of a case. Its name contains the case's number, because each case needs its own connection. */
export function connectionOf(provider: Provider, name: string): LocalConnection {
  const rotation = ({ strict: 'single_use', grace: 'grace', reusable: 'none' } as const)[provider];
  return localConnection(name, { rotation, ...(rotation === 'grace' && { graceSeconds: 60 }) });
}

/** The test's name. The failure matrix in the documentation shows the same facts. */
export function titleOf({ step: { does }, moment, fault, provider, outcome }: Case): string {
  const what = {
    kill: () => 'killed',
    freeze: () => `stopped for ${fault.kind === 'freeze' ? fault.ms / 1000 : 0} s`,
    strike: () => `response ${fault.kind === 'strike' ? fault.name : ''}`,
  }[fault.kind]();
  return `${provider}: ${does}, ${moment.replace('_', ' ')}, ${what}: ${outcome}`;
}

/**
 * All cases with `vitest --mode full`, otherwise every `nth`.
 * @param from the index of the first case
 */
export function slice<T>(cases: readonly T[], nth: number, from = 0): readonly T[] {
  if (process.env.MODE === 'full') return cases;
  return cases.filter((_, index) => index % nth === from);
}
