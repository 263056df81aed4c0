import { clientCredentials, forgetCredentials } from './credentials.ts';
import type { FailureClass, GrantAnswer, GrantFailure, GrantRequest } from './grant.ts';
import type { Secret } from './ports.ts';
import type { ClientCredentials } from './processState.ts';
import type { ConnectionRecord, RecordedFailure } from './record.ts';
import { replayTime, withinGrace } from './replay.ts';
import { logRun, type Run } from './run.ts';

/** What came of sending a refresh token. */
export interface GrantOutcome {
  readonly answer: GrantAnswer;
  /** The lease ran short, the process began to drain, or the time for a replay was over: the last grant was not sent. */
  readonly refused: boolean;
  /** What the client's credentials were read from. */
  readonly credentials: RecordedFailure['watch'];
  /** The client as it was sent last. */
  readonly client: Pick<GrantRequest, 'clientId' | 'clientSecret'>;
}

/**
 * Sends the refresh token, and sends it again only in the cases where that is known to be harmless: with the next
 * client secret after `invalid_client`, and once after an ambiguous answer while its grace still runs.
 * @param before the record before the intent: where a grant was out already, this one repeats it
 * @param record with the phase `granting`, as it is stored
 */
export async function sendGrant(
  run: Run,
  before: ConnectionRecord,
  record: ConnectionRecord,
  refreshToken: Secret,
): Promise<GrantOutcome> {
  const first = await withEachClientSecret(run, refreshToken, () => mayRepeat(run, before));
  if (first.refused || !mayReplay(run, record, first.answer)) return first;
  logRun(run, 'warn', 'grant_replayed', { code: first.answer.failure?.code });
  const inGrace = () => mayReplay(run, record, first.answer);
  const again = await withEachClientSecret(run, refreshToken, inGrace).catch(() => first);
  return tellsMore(again) ? again : first;
}

/** The decision was made some requests ago, and the grace that allowed it may have run out since. */
function mayRepeat({ connection, lease, ports }: Run, before: ConnectionRecord): boolean {
  const { phase } = before;
  const now = lease.now();
  return phase.state === 'idle' || replayTime(before, phase, connection.behavior, ports.tickMs, now) <= now;
}

const NOT_PROCESSED: readonly (FailureClass | undefined)[] = [
  'retryable',
  'client_rejected',
  'misconfigured',
];

/** A replay that was not sent, or not processed, says nothing about the grant before it. */
function tellsMore({ answer, refused }: GrantOutcome): boolean {
  if (answer.refreshToken !== undefined) return true;
  return !refused && !NOT_PROCESSED.includes(answer.failure?.class);
}

/** Reusable tokens need no replay at once: they are retried with a delay. */
function mayReplay({ connection, lease }: Run, { phase }: ConnectionRecord, answer: GrantAnswer): boolean {
  if (answer.failure?.class !== 'ambiguous' || answer.refreshToken !== undefined) return false;
  if (phase.state === 'idle' || connection.behavior.refreshTokenGraceMs === Number.POSITIVE_INFINITY)
    return false;
  return withinGrace(phase, connection.behavior, lease.now());
}

/**
 * `invalid_client` proves that the grant was not processed: the next secret may follow, first those remembered, then those in
 * the vault now. An answer that brought a refresh token is the last in any case.
 */
async function withEachClientSecret(
  run: Run,
  refreshToken: Secret,
  allowed: () => boolean,
): Promise<GrantOutcome> {
  const tried = new Set<string>();
  let outcome: GrantOutcome | undefined;
  for (const _ of ['remembered', 'read again']) {
    const credentials = await credentialsAfter(run, outcome);
    for (const { version, value } of credentials?.clientSecrets ?? []) {
      if (!credentials || tried.has(`${credentials.clientId} ${version}`)) continue;
      tried.add(`${credentials.clientId} ${version}`);
      const client = { clientId: credentials.clientId, clientSecret: value };
      const sent = await sendOnce(run, client, refreshToken, allowed);
      outcome = { ...sent, credentials: credentials.sources, client };
      if (!isClientRejected(outcome)) return outcome;
      logRun(run, 'warn', 'client_secret_rejected', { version });
    }
    forgetCredentials(run);
  }
  if (!outcome) throw new Error('A connection has at least one client secret.');
  return outcome;
}

function isClientRejected({ answer, refused }: GrantOutcome): boolean {
  return !refused && answer.failure?.class === 'client_rejected' && answer.refreshToken === undefined;
}

/** Before the first grant, credentials that cannot be read are the outcome; after one they change nothing. */
async function credentialsAfter(
  run: Run,
  outcome: GrantOutcome | undefined,
): Promise<ClientCredentials | undefined> {
  if (!outcome) return clientCredentials(run);
  return clientCredentials(run).catch(() => undefined);
}

async function sendOnce(
  run: Run,
  client: GrantOutcome['client'],
  refreshToken: Secret,
  allowed: () => boolean,
) {
  const { connection, lease, ports, state } = run;
  await lease.ensureCoversGrant();
  let refused = false;
  // Asked synchronously before the first byte: a process that was frozen since the last check must not send.
  const mayStillSend = () => {
    refused = state.draining || !lease.coversGrant() || !allowed();
    return !refused;
  };
  const startedAt = ports.clock.monotonic();
  const request = { connection, ...client, refreshToken: refreshToken.value };
  const answer = await ports.tokenEndpoint.grant(request, mayStillSend);
  logAnswer(run, answer, Math.round(ports.clock.monotonic() - startedAt));
  return { answer, refused };
}

function logAnswer(run: Run, { failure, refreshToken }: GrantAnswer, grantMs: number): void {
  const fields = {
    outcome: failure?.class ?? 'granted',
    refreshTokenReceived: refreshToken !== undefined,
    grantMs,
  };
  logRun(run, failure ? 'warn' : 'info', 'grant_answered', { ...fields, ...failureFields(failure) });
}

function failureFields(failure: GrantFailure | undefined) {
  return failure && { code: failure.code, message: failure.message };
}
