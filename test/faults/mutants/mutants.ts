/** A guard of the protocol, switched off. */
export interface Mutant {
  /** The guard, and how it is switched off. */
  readonly name: string;
  /** Relative to the root of the repository. */
  readonly file: string;
  /** Must occur exactly once in the file: a mutant that no longer fits would prove nothing. */
  readonly find: string;
  readonly replace: string;
  /** Test files or folders to run against it; by default those of the protocol. */
  readonly tests?: readonly string[];
}

/** These, and the model of `test/faults/model`, run the protocol in a simulated world. */
export const PROTOCOL_TESTS = ['test/unit/rotation'];
/** These send token requests through real sockets, which the model does not cover. */
const SENDING_TESTS = ['test/unit/oauth/exchange.test.ts', 'test/integration/oauth/postTokenRequest.test.ts'];

const inRotation = (file: string, name: string, find: string, replace: string): Mutant => ({
  name,
  file: `lib/rotation/${file}`,
  find,
  replace,
});

const inSending = (file: string, name: string, find: string, replace: string): Mutant => ({
  name,
  file: `lib/oauth/${file}`,
  find,
  replace,
  tests: SENDING_TESTS,
});

/** When the simulated world begins. A machine's clock starts there, and is off by more than a quarter of an hour. */
const WORLD_BEGINS = "Date.parse('2026-01-01T00:00:00Z')";

const LEASE: readonly Mutant[] = [
  inRotation(
    'steps/gather.ts',
    'secret: an entry may name any secret as its refresh token',
    'if (latest) await ensureAllowed(connection, refreshToken, latest, vault);',
    '',
  ),
  inRotation(
    'steps/clientCredentials.ts',
    'secret: an entry may name any secret as a client credential',
    'if (secret) await ensureAllowed(this.#connection, named, secret, vault);',
    '',
  ),
  inRotation(
    'steps/lease.ts',
    'lease: one that another process holds counts as ours',
    "if (answer === 'taken') return false;",
    `if (answer === 'taken') {
        this.#acquired = { id: '', serviceTime: ${WORLD_BEGINS}, seenAt: this.#clock.monotonic() };
        this.#heldFrom = askedAt;
        return true;
      }`,
  ),
  inRotation(
    'steps/lease.ts',
    'lease: a record that could not be written for lack of the lease counts as written',
    'if (await this.#records.write(ours, this.#held().id)) return this.#note(ours);',
    'if ((await this.#records.write(ours, this.#held().id)) || true) return this.#note(ours);',
  ),
  inRotation('steps/lease.ts', 'lease: never renewed', 'void this.#keepAlive();', ''),
  inRotation(
    'steps/lease.ts',
    'lease: its time counts from the response, not from the request',
    'this.#heldFrom = askedAt;',
    'this.#heldFrom = this.#clock.monotonic();',
  ),
  inRotation(
    'steps/publication.ts',
    'lease: an access token is published without it',
    'this.#lease.ensureHeld();\n      try {',
    'try {',
  ),
  inRotation(
    'steps/publication.ts',
    'lease: the published secret is written once more without it',
    'this.#lease.ensureHeld();\n    if (!readable?.value)',
    'if (!readable?.value)',
  ),
  inRotation(
    'steps/refreshToken.ts',
    "lease: an operator's token is copied, and a late write is replaced, without it",
    'this.#lease.ensureHeld();',
    '',
  ),
  inRotation(
    'steps/sendTokenRequest.ts',
    'check before the send: the time left on the lease does not count',
    'refused = this.#memory.draining || isTooLate || !allowed();',
    'refused = this.#memory.draining || !allowed();',
  ),
  inRotation(
    'steps/sendTokenRequest.ts',
    'check before the send: a replay is sent although its grace has ended',
    'refused = this.#memory.draining || isTooLate || !allowed();',
    'refused = this.#memory.draining || isTooLate;',
  ),
  inRotation(
    'steps/sendTokenRequest.ts',
    'check before the send: a draining process sends anyway',
    'refused = this.#memory.draining || isTooLate || !allowed();',
    'refused = isTooLate || !allowed();',
  ),
  inSending(
    'postTokenRequest.ts',
    'check before the send: skipped after the connection is established',
    'return mayStillSend() || REFUSED;',
    'return true;',
  ),
  inRotation(
    'steps/lease.ts',
    "the service's clock: the machine's own is used",
    'return serviceTime + this.#clock.monotonic() - seenAt;',
    `return ${WORLD_BEGINS} + this.#clock.monotonic();`,
  ),
];

const IN_THE_RECORD = 'await this.#lease.write(request.record);';
const IN_THE_VAULT = 'await this.#token.announce(request.sent, request.intent);';

const BEFORE_THE_REQUEST: readonly Mutant[] = [
  inRotation('steps/rotation.ts', 'intent: written nowhere', `${IN_THE_RECORD}\n        ${IN_THE_VAULT}`, ''),
  inRotation('steps/rotation.ts', 'intent: not in the record', IN_THE_RECORD, ''),
  inRotation('steps/rotation.ts', 'intent: not in the vault', IN_THE_VAULT, ''),
  inRotation(
    'steps/publication.ts',
    'storability: no proof that the access token can be published',
    'await this.#proveWrite(secret, record);',
    ';',
  ),
  inRotation(
    'steps/rotation.ts',
    'storability: what is published is overwritten before the refresh token is known to be ours',
    'const unproven = await this.#unproven(record, decision.latest);',
    'const unproven = await this.#unproven(record, decision.latest);\n      await this.#publication.prove(record, unproven);',
  ),
  inRotation(
    'steps/refreshToken.ts',
    'storability: a token that the vault took with makeshift attributes only is sent without a new proof',
    'isManaged(seed.tags) && !isMakeshift(seed.tags)',
    'isManaged(seed.tags)',
  ),
  inRotation(
    'steps/refreshToken.ts',
    'storability: the expiration date that an Azure Policy refuses is tried again and again',
    "problemOf(thrown).code === 'vault_policy' && ++refusals <= MAKESHIFT_DAYS.length",
    'false',
  ),
  inRotation(
    'core/outcome.ts',
    'storability: a proof that an Azure Policy refuses does not block the connection',
    "if (problem.code === 'vault_policy') return blocked(record, problem, [], context);",
    '',
  ),
  inRotation(
    'steps/publication.ts',
    'storability: a placeholder that arrived late keeps hiding the access token',
    'const readable = hidden ?? current;',
    'const readable = current;',
  ),
  inRotation(
    'core/tags.ts',
    'tags: a member that the response does not repeat is taken from consumers',
    'received[name] ?? before[name]',
    'received[name]',
  ),
  inRotation(
    'core/tags.ts',
    'tags: a member replaces a tag of the rotator',
    '...Object.fromEntries(members.slice(0, room)), ...own }',
    '...own, ...Object.fromEntries(members.slice(0, room)) }',
  ),
  inRotation(
    'steps/publication.ts',
    'storability: a secret that the rotator does not manage is overwritten',
    'if (current && !isManaged(current.tags) && !this.#connection.overwrite)\n      throw notManaged(this.#connection, secret);',
    '',
  ),
  inRotation(
    'steps/refreshToken.ts',
    "storability: an operator's token is sent without a managed copy",
    'isProven ? { record, sent: seed } : await this.#copy(record, seed)',
    '{ record, sent: seed }',
  ),
];

const AFTER_THE_REQUEST: readonly Mutant[] = [
  inRotation(
    'steps/rotation.ts',
    'save first: published before the refresh token is saved',
    'const saved = await this.#save(request, outcome);',
    `if (outcome.answer.accessToken)
        await this.#publication.writeAccessToken({ ...outcome, accessToken: outcome.answer.accessToken, generation: 0 });
      const saved = await this.#save(request, outcome);`,
  ),
  inRotation(
    'steps/refreshToken.ts',
    'endless save: tried only once',
    'await clock.sleep(savePause(attempts, retryAfterOf(thrown)));',
    'throw thrown;',
  ),
  inRotation(
    'steps/refreshToken.ts',
    'invalid_grant: the secret is not read again',
    'return latest !== undefined && latest.version !== version;',
    'return false;',
  ),
  inRotation(
    'steps/sendTokenRequest.ts',
    'outcome_unknown: the token request is sent again regardless of the grace',
    'if (first.refused || !inGrace()) return first;',
    "if (first.refused || first.answer.failure?.class !== 'outcome_unknown') return first;",
  ),
  inRotation(
    'steps/sendTokenRequest.ts',
    'outcome_unknown: the token request is sent again with the next client secret',
    "if (refused || answer.failure?.class !== 'client_rejected' || answer.refreshToken !== undefined)",
    "if (refused || !['client_rejected', 'outcome_unknown'].includes(answer.failure?.class ?? ''))",
  ),
  inSending(
    'exchange.ts',
    'single send: a request that undici puts back into its queue is sent again',
    "this.#sent ? 'SENT_BEFORE' : this.#mayStart()",
    'this.#mayStart()',
  ),
  inSending(
    'deadlines.ts',
    'deadlines: no polls before a token request is given up',
    'setImmediate(() => setImmediate(() => stopped || due()))',
    'due()',
  ),
];

const SLOW_PROVIDER: readonly Mutant[] = [
  inRotation(
    'core/times.ts',
    'slow provider: a response is given up after 8 s',
    'LONGEST_WAIT_MS = 60_000',
    'LONGEST_WAIT_MS = 8_000',
  ),
  inRotation(
    'core/times.ts',
    'slow provider: a request is repeated while another process may wait for the response',
    'Math.max(delayed, phase.awaitedUntil)',
    'delayed',
  ),
  inRotation(
    'core/times.ts',
    'slow provider: the lease is not given back in time to repeat the request within its grace period',
    'return at < startedAt + SHORTEST_WAIT_MS ? Number.POSITIVE_INFINITY : at;',
    'return Number.POSITIVE_INFINITY;',
  ),
  inRotation(
    'providerHost.ts',
    'slow provider: it gets as many requests as before',
    'if (!forced && this.#isSlow && !tries) return undefined;',
    '',
  ),
  inRotation(
    'providerHost.ts',
    'slow provider: more than eight requests with single-use tokens are in flight',
    'const hasRoom = singleUse < this.#bounds.mostSingleUse;',
    'const hasRoom = singleUse >= 0;',
  ),
  inRotation(
    'providerHost.ts',
    'slow provider: one faulty connection holds up the others of its host',
    'if (this.#failed.size < 2 && !this.#isSlow) return;',
    '',
  ),
  inRotation(
    'providerHost.ts',
    'slow provider: a failing host is tried again immediately',
    'this.#probeAt = this.#ports.clock.monotonic() + probePause(this.#failures);',
    '',
  ),
  inRotation(
    'providerHost.ts',
    'slow provider: tried with a token that can be used once, although another one is there',
    'return (this.#failed.has(name) ? 2 : 0) + (this.#isRepeatable(behavior) ? 0 : 1);',
    'return 0;',
  ),
  inRotation('sweep.ts', 'slow provider: a sweep waits for it', 'patient: false', 'patient: true'),
  inRotation(
    'rotate.ts',
    'waiting saves: more tokens are requested for a vault that refuses them',
    'memory.waitingSaves(credential) >= MOST_WAITING_SAVES',
    'false',
  ),
  inRotation(
    'steps/rotation.ts',
    'waiting saves: a host gets more requests while its last tokens are not saved',
    `const saved = await this.#save(request, outcome);
      if (!outcome.answer.failure) this.#call.flight.end();`,
    `if (!outcome.answer.failure) this.#call.flight.end();
      const saved = await this.#save(request, outcome);`,
  ),
];

const PUBLISHED: readonly Mutant[] = [
  inRotation(
    'core/connection.ts',
    'vaults: a connection string with the refresh token is published in the vault of the consumers',
    "connectionString.holds === 'refreshToken' ? vaults.credential : vaults.token",
    'vaults.token',
  ),
];

const RECOVERY: readonly Mutant[] = [
  inRotation(
    'core/decide.ts',
    'reconcile: never',
    'ownedElsewhere, versionChanged, requestInterrupted, removed, outcomeUnknown',
    'ownedElsewhere, removed, outcomeUnknown',
  ),
  inRotation(
    'core/decide.ts',
    'reconcile: not after a version change',
    'ownedElsewhere, versionChanged, requestInterrupted,',
    'ownedElsewhere, requestInterrupted,',
  ),
  inRotation(
    'core/decide.ts',
    'reconcile: not after an interrupted token request',
    'versionChanged, requestInterrupted, removed, outcomeUnknown',
    'versionChanged, removed, outcomeUnknown',
  ),
  inRotation(
    'steps/rotation.ts',
    'reconcile: a late write stays the latest version',
    'return winner.version === latest.version ? next : this.#token.rewrite(next, winner, latest);',
    'return next;',
  ),
  inRotation(
    'steps/rotation.ts',
    'reconcile: the vault is repaired before the record is written',
    'if (next !== record) await this.#lease.write(next);',
    '',
  ),
  inRotation(
    'core/currentVersion.ts',
    'reconcile: a record that was lost does not learn which access token is published',
    'return accessToken ? publishedTokenFound(followed, accessToken) : followed;',
    'return followed;',
  ),
  inRotation(
    'core/decide.ts',
    'outcome_unknown: no wait before the replay',
    'if (now >= until) return undefined;',
    'return undefined;',
  ),
  inRotation(
    'core/decide.ts',
    'takeover: the refresh token of another deployment is used without one',
    '[ownedElsewhere, ',
    '[',
  ),
];

const CREDENTIALS: readonly Mutant[] = [
  inRotation(
    'steps/clientCredentials.ts',
    'client credentials: kept although an operator set another refresh token, or a rotation failed',
    'if (failure || !isKnown || expiringSoon(',
    'if (expiringSoon(',
  ),
  inRotation(
    'core/credentialValue.ts',
    'malformed: a secret with quotes or invisible characters is sent',
    'if (flaw === undefined) return undefined;',
    'return undefined;',
  ),
  inRotation(
    'steps/refreshToken.ts',
    'malformed: a copy of such a refresh token counts as issued by the provider',
    'if (unusable) throw unusable;',
    '',
  ),
  inRotation(
    'core/currentVersion.ts',
    'intent: ignored if an older copy of the record does not know it',
    'return intent !== undefined && intent.epoch > record.epoch;',
    'return intent !== undefined && intent.epoch > record.epoch + 1000;',
  ),
];

const FORGED: readonly Mutant[] = [
  inRotation(
    'core/plausible.ts',
    'forged records: the list believes any summary',
    'return isPlausible ? summary : UNKNOWN_SUMMARY;',
    'return isPlausible || true ? summary : UNKNOWN_SUMMARY;',
  ),
  inRotation(
    'core/plausible.ts',
    'forged records: a next attempt may be at any time',
    'return time >= 0 && time <= now + latest + CLOCK_TOLERANCE_MS;',
    'return time >= 0 || latest > 0;',
  ),
  inRotation(
    'core/plausible.ts',
    'forged records: a request may begin in the future',
    'if (isPast(startedAt, now) && isPast(firstStartedAt, now) && isAwaited) return phase;',
    'return phase;',
  ),
  inRotation(
    'core/outcome.ts',
    'forged records: a long-lived access token is left alone for longer than a record is believed',
    'token.issuedAt + LONGEST_IDLE_MS',
    'token.issuedAt + LONGEST_IDLE_MS * 1_000',
  ),
  inRotation(
    'core/currentVersion.ts',
    'forged records: a replay relies on the record for what it may revoke',
    "return record.phase.state === 'requesting' || isUnknownIntent(winner.tags, record);",
    'return isUnknownIntent(winner.tags, record);',
  ),
  inRotation(
    'steps/publication.ts',
    'forged records: whose a published secret is, is not asked if the record says that it is proven',
    'const current = await this.#readOurs(secret);\n      const isProven',
    'const current = proven.includes(placeOf(secret)) ? await readPublished(this.#ports.vault(secret.vault), secret.name) : await this.#readOurs(secret);\n      const isProven',
  ),
  inRotation(
    'core/currentVersion.ts',
    'forged tags: a version counts as the child of a newer one',
    'return parent !== undefined && child.createdAt < parent.createdAt;',
    'return false;',
  ),
  inRotation(
    'core/currentVersion.ts',
    'forged tags: a version wins that is older than the recorded one and was changed',
    'version.isChanged === true && recorded !== undefined',
    'version.version === "" && recorded !== undefined',
  ),
];

const OPERATORS: readonly Mutant[] = [
  inRotation(
    'core/currentVersion.ts',
    "reconcile: an operator's token that was disabled before its first use wins",
    'if (!isEnabled(version) && !wasUsed(version)) return false;',
    '',
  ),
  inRotation(
    'core/currentVersion.ts',
    "reconcile: an operator's token from the same second as the recorded version is ignored even if it was used",
    'version.version === latest || wasUsed(version);',
    'version.version === latest;',
  ),
  inRotation(
    'core/currentVersion.ts',
    'reconcile: the seed of the recorded version competes with a token of the same second',
    ' || ancestors.has(version.version)',
    '',
  ),
  inRotation(
    'core/currentVersion.ts',
    'reconcile: without a record, a superseded version with a higher epoch wins',
    'const unknown = enabled.length > 0 ? enabled : saves;',
    'const unknown = saves;',
  ),
];

const LAG: readonly Mutant[] = [
  inRotation(
    'steps/refreshToken.ts',
    'lag: a version that the listing does not show does not count',
    'return [...listed.filter((each) => !isRead(each)), ...read.map(withoutValue)];',
    'return listed;',
  ),
  inRotation(
    'steps/refreshToken.ts',
    'lag: the recorded version does not count if the listing does not show it',
    "new Set([parent, isMissing ? recorded : ''])",
    'new Set([parent])',
  ),
  inRotation(
    'core/currentVersion.ts',
    'lag: a vault that shows an older version than it has acknowledged is believed',
    'return latest.createdAt < winner.createdAt && now < winner.createdAt + VAULT_LAG_MS;',
    'return false;',
  ),
  inRotation(
    'core/currentVersion.ts',
    "lag: an operator's token loses to a later copy of the recorded one",
    'const recordedAt = recorded && firstOf(descent.sameToken(recorded));',
    'const recordedAt = recorded?.createdAt;',
  ),
  inRotation(
    'steps/rotation.ts',
    'replay: sent without a fresh look at the vault',
    "(isOld || request.reason === 'replay') && (await",
    'isOld && (await',
  ),
  inRotation(
    'steps/rotation.ts',
    'replay: sent while the sender of the first request may still wait for the vault',
    'await clock.sleep(lastLookDelay(phase, this.#connection.behavior, this.#lease.now()));',
    'await clock.sleep(0);',
  ),
  inRotation(
    'steps/rotation.ts',
    'first request: sent after a stop without a fresh look at the vault',
    "(isOld || request.reason === 'replay') && (await",
    "request.reason === 'replay' && (await",
  ),
  inRotation(
    'core/currentVersion.ts',
    'forged record: an older token counts as obtained with a lost version',
    'recorded && isLater(each, recorded)',
    'recorded',
  ),
  inRotation(
    'core/currentVersion.ts',
    'failover: what was obtained with a lost version is not recognized',
    'isOfLost ? recorded.version : origin.parent',
    'origin.parent',
  ),
  inRotation(
    'core/record.ts',
    'replay: a saved token is sent while the response to a later request is awaited',
    "const isAwaited = phase.state === 'requesting' && saved.epoch < record.epoch;",
    'const isAwaited = false;',
  ),
  inRotation(
    'core/currentVersion.ts',
    'replay: requests that only tags announce are not awaited',
    'if (recent.length === 0) return undefined;',
    'if (recent.length >= 0) return undefined;',
  ),
  inRotation(
    'core/currentVersion.ts',
    'replay: a request that was repeated is forgotten with the record',
    'Math.min(epoch, descent.epochOf(version) + 1)',
    'epoch',
  ),
  inRotation(
    'steps/rotation.ts',
    'replay: what the vault tells more counts as known before it is waited for',
    'awaitedElsewhere(record, all, winner)',
    'awaitedElsewhere(known, all, winner)',
  ),
  inRotation(
    'steps/refreshToken.ts',
    'replay: a lagging listing hides a request',
    'new Set([parent, isMissing',
    "new Set(['', isMissing",
  ),
  inRotation(
    'steps/refreshToken.ts',
    'replay: a disabled version that shows requests stops the rotation',
    '.catch(unlessUnreadable)',
    '',
  ),
  inRotation(
    'core/record.ts',
    'replay: the response to the repetition ends the wait for the earlier one',
    '...(earlierAwaitedUntil > now && !isReusable && { earlierAwaitedUntil }),',
    '',
  ),
  inRotation(
    'core/record.ts',
    'replay: a request that may be repeated at any time holds up the next one',
    'earlierAwaitedUntil > now && !isReusable',
    'earlierAwaitedUntil > now',
  ),
  inRotation(
    'core/record.ts',
    'replay: an unusable response ends the wait for the earlier one',
    'Math.max(now, phase.earlierAwaitedUntil ?? now)',
    'now',
  ),
  inRotation(
    'core/plausible.ts',
    'forged record: an earlier request is awaited for ever',
    'Math.max(awaitedUntil, earlierAwaitedUntil)',
    'awaitedUntil',
  ),
  inRotation(
    'steps/refreshToken.ts',
    'replay: a token whose tags were removed is copied while its request is out',
    'const isProven = isOut ||',
    'const isProven =',
  ),
];

const REFUSED: readonly Mutant[] = [
  inRotation(
    'core/decide.ts',
    'refused refresh token: never sent again',
    'if (!sentAgain) return false;',
    'return false;',
  ),
  inRotation(
    'core/decide.ts',
    'refused refresh token: sent again while the published access token is in use',
    "if (sentAgain === 'once_expired' && accessToken && now < accessToken.expiresAt) return false;",
    '',
  ),
  inRotation(
    'core/record.ts',
    'refused refresh token: no longer reported once a repeated request gets no answer',
    "if (failure?.code !== 'reauthorization_required') return noted;",
    'return noted;',
  ),
  inRotation(
    'core/times.ts',
    'refused refresh token: the delays between requests without an answer do not grow',
    "failure?.code === 'outcome_unknown' || failure?.code === 'reauthorization_required'",
    "failure?.code === 'outcome_unknown'",
  ),
  inRotation(
    'steps/gather.ts',
    'refused refresh token: sent again because a record that can be forged shows no valid access token',
    "failure.sentAgain === 'once_expired' && (await publishedTimes(connection, ports))",
    "failure.sentAgain === 'once_expired' && record.accessToken",
  ),
  inRotation(
    'core/times.ts',
    'refused client credentials: tried once an hour although they were just changed',
    'return isNew ? NEW_CREDENTIALS_RETRY_MS : BLOCKED_RETRY_MS;',
    'return isNew ? BLOCKED_RETRY_MS : BLOCKED_RETRY_MS;',
  ),
  inRotation(
    'core/outcome.ts',
    'refused refresh token: sent again after a lost response',
    "if (phase.state !== 'idle' || refusal === 'final') return undefined;",
    "if (refusal === 'final') return undefined;",
  ),
];

const LIFETIMES: readonly Mutant[] = [
  inRotation(
    'core/times.ts',
    'lifetimes: the end of the refresh token does not matter for the renewal',
    'Math.max(Math.min(due, end), earliestRenewal(',
    'Math.max(due, earliestRenewal(',
  ),
  inRotation(
    'core/times.ts',
    'renewal: as early as usual although the refresh ends the access token in use',
    'const isLate = behavior.accessTokenEndsAtRefresh === true;',
    'const isLate = false;',
  ),
  inRotation(
    'core/times.ts',
    'renewal: a young token is renewed although the provider refuses that',
    'if (earliestRenewalMs === undefined) return 0;',
    'if (earliestRenewalMs !== 0) return 0;',
  ),
  inRotation(
    'core/decide.ts',
    'renewal: a refresh whose result was lost is repeated before the provider accepts it',
    ', replacedAwaited, tooEarly];',
    ', replacedAwaited];',
  ),
  inRotation(
    'core/times.ts',
    'lifetimes: an absolute end in the past counts, so that each sweep renews',
    'absolute > issuedAt ? absolute : Number.POSITIVE_INFINITY',
    'absolute',
  ),
  inRotation(
    'core/times.ts',
    'disputed grace: another process repeats a request whose response may still arrive',
    'return behavior.refreshTokenGraceIsDisputed ? phase.awaitedUntil : phase.startedAt;',
    'return phase.startedAt;',
  ),
  inRotation(
    'core/times.ts',
    'disputed grace: the lease is given back while the response is awaited',
    'if (refreshTokenGraceIsDisputed) return Number.POSITIVE_INFINITY;',
    '',
  ),
  inRotation(
    'core/times.ts',
    'lifetimes: a token that lives for a second is renewed in each sweep',
    'const due = Math.max(planned, shortest);',
    'const due = planned;',
  ),
  inRotation(
    'core/outcome.ts',
    'lifetimes: a Retry-After outlasts the refresh token',
    'Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS, (left * 2) / 3)',
    'Math.min(retryAfterMs, LONGEST_RETRY_AFTER_MS)',
  ),
];

const OTHER_DEPLOYMENTS: readonly Mutant[] = [
  inRotation(
    'core/ownership.ts',
    'other deployments: a record that one with another credential vault wrote counts as ours',
    'return recorded === undefined || recorded === hostOf(vaults.credential) ? undefined : recorded;',
    'return recorded === undefined || recorded === hostOf(vaults.credential) ? recorded : undefined;',
  ),
  inRotation(
    'core/ownership.ts',
    'other deployments: each one sends its copy of a token that an operator set',
    'return storeOf([copy, ...others].reduce((first, each) => (isBefore(each, first) ? each : first)));',
    'return isBefore === undefined ? storeOf(others[0] ?? copy) : storeOf(copy);',
  ),
  inRotation(
    'core/ownership.ts',
    'other deployments: a version that is older than a token counts as a copy of it',
    '=== source && !forged.has(version),',
    '=== source && forged !== undefined && version !== undefined,',
  ),
  inRotation(
    'steps/refreshToken.ts',
    'other deployments: the copies are compared immediately, not after two seconds',
    'await this.#ports.clock.sleep(RIVAL_WAIT_MS);',
    '',
  ),
  inRotation(
    'steps/refreshToken.ts',
    'other deployments: the mark of a copy that was never sent is not set',
    'this.#propertiesOf(asUnsentCopy(savedTags(origin, seed.tags)), end)',
    'this.#propertiesOf(savedTags(origin, seed.tags), end)',
  ),
  inRotation(
    'core/ownership.ts',
    'other deployments: a copy that another one made and never sent counts like a saved token',
    'return versions.filter(({ tags }) => !isUnsentCopy(tags) || readOrigin(tags)?.store === ownStore);',
    'return ownStore === undefined ? versions.filter(({ tags }) => isUnsentCopy(tags)) : versions;',
  ),
];

const inReading = (file: string, name: string, find: string, replace: string): Mutant => ({
  ...inSending(file, name, find, replace),
  tests: ['test/integration/oauth/malformedResponses.test.ts'],
});

const inReadingOther = (name: string, find: string, replace: string): Mutant => ({
  ...inSending('responseTokens.ts', name, find, replace),
  tests: ['test/unit/oauth/readTokenResponse.test.ts'],
});

const MALFORMED: readonly Mutant[] = [
  inReading(
    'postTokenRequest.ts',
    'malformed response: no second reading',
    'readAgain(await exchange.result, connection, waitMs - exchange.elapsed)',
    'exchange.result',
  ),
  inReading(
    'keptConnection.ts',
    'malformed response: the connection is closed before the second reading',
    'if (!this.#mayReadOn()) this.#socket.destroy();',
    'this.#socket.destroy();',
  ),
  inReading(
    'responseMembers.ts',
    'malformed response: JSON that ends early does not count',
    'whole ?? completeMembers(text) ?? formObject',
    'whole ?? formObject',
  ),
  inReadingOther(
    'odd response: of several refresh tokens, the first one is stored',
    "size === 1 ? first : 'several'",
    "size > 0 ? first : 'several'",
  ),
  inReadingOther(
    'odd response: words about a refresh token are stored as one',
    "if (hasText(members, 'access_token')) return true;",
    "if (hasText(members, 'refresh_token')) return true;",
  ),
  inReadingOther(
    'odd response: a refresh token beside the access token of another application is stored',
    'isPlausible(placed, hasError) && isBeside(placed, chosen)',
    'isPlausible(placed, hasError) && (isBeside(placed, chosen) || true)',
  ),
  inReadingOther(
    'odd response: a token of the request that is repeated in the response is stored',
    'level.filter((placed) => isIssued(placed) && accepts(placed))',
    'level.filter(accepts)',
  ),
  {
    ...inReadingOther(
      'odd response: words about the refresh token in a failed response are stored',
      'if (isFailed && !looksLikeToken(value)) return undefined;',
      '',
    ),
    file: 'lib/oauth/readTokenResponse.ts',
  },
  {
    ...inReadingOther(
      'odd response: of broken JSON, words are stored as a token',
      'token === undefined || !looksLikeToken(token))',
      'token === undefined)',
    ),
    file: 'lib/oauth/repairJson.ts',
  },
];

const SUPERSEDED: readonly Mutant[] = [
  inRotation(
    'steps/refreshToken.ts',
    'superseded versions: never disabled',
    'await vault.disable(secret, version);',
    '',
  ),
  inRotation(
    'core/currentVersion.ts',
    'superseded versions: the token in use and its parent are disabled as well',
    'for (const version of saved ? [sent.version] : [sent.version, parent]) superseded.delete(version);',
    '',
  ),
  inRotation(
    'core/currentVersion.ts',
    'superseded versions: the latest is disabled as well, so Key Vault no longer returns the secret',
    'const needed = [winner.version, readOrigin(winner.tags)?.parent, latest];',
    'const needed = [winner.version, readOrigin(winner.tags)?.parent, ...(latest ? [] : [latest])];',
  ),
];

const inEgress = (name: string, find: string, replace: string): Mutant => ({
  ...inSending('secureConnector.ts', name, find, replace),
  tests: ['test/integration/oauth/egress.test.ts'],
});

const EGRESS: readonly Mutant[] = [
  inEgress(
    'egress: an IP address in the entry is not checked',
    'if (address !== undefined && !reach.has(kindOf(address)))',
    'if (address === "")',
  ),
  inEgress(
    'egress: the addresses of a host name are not checked',
    'lookup: checkedLookup(reach, lookup),',
    '...(lookup && { lookup }),',
  ),
];

const PACING: readonly Mutant[] = [
  {
    ...inRotation(
      'sweep.ts',
      'pacing: connections wait for their vault in a slot of the sweep',
      'await reserveWrites(first, pacer, this.#memory.kept);',
      '',
    ),
    tests: ['test/unit/rotation/sweep.test.ts'],
  },
  {
    ...inRotation(
      'rotate.ts',
      'pacing: nothing is reserved before the lease',
      'await reserveWrites(order.connection, ports.pacer, memory.kept);',
      '',
    ),
    tests: ['test/unit/rotation/rotate.test.ts'],
  },
];

const LOOKUPS: readonly Mutant[] = [
  {
    name: 'lookup: a name whose name server is silent takes a thread',
    file: 'lib/hostLookup.ts',
    find: 'if (answered.code === dns.TIMEOUT) throw answered;',
    replace: '',
    tests: ['test/integration/hostLookup.test.ts'],
  },
  {
    name: 'lookup: the system is asked for several names at the same time',
    file: 'lib/hostLookup.ts',
    find: 'lastOfSystem.then(() => fromSystem(system, hostname))',
    replace: 'fromSystem(system, hostname)',
    tests: ['test/integration/hostLookup.test.ts'],
  },
];

const READS: readonly Mutant[] = [
  {
    name: 'reads: one whose connection was closed is not repeated',
    file: 'lib/azure/repeatRead.ts',
    find: 'return read(true);',
    replace: 'throw thrown;',
    tests: ['test/integration/azure/keyVaultSecrets.test.ts', 'test/integration/azure/blobRecords.test.ts'],
  },
];

const REMOVAL: readonly Mutant[] = [
  inRotation(
    'core/decide.ts',
    'removal: a late save of a removed token family is used',
    'if (record.removedAt === undefined) return undefined;',
    'if (record.removedAt === undefined || latest) return undefined;',
  ),
  inRotation(
    'removal.ts',
    'removal: does not pause first',
    'const paused = stored.removedAt === undefined ? this.#paused(stored) : stored;',
    'const paused = stored;',
  ),
  inRotation(
    'removal.ts',
    'removal: does not wait for a response in flight',
    'await this.#responsesArrive(paused);',
    '',
  ),
  inRotation('removal.ts', 'removal: looks at the vault only once', 'look <= MOST_LOOKS', 'look <= 1'),
  inRotation('removal.ts', 'removal: goes on without the lease', 'this.#lease.ensureHeld();', ''),
  inRotation(
    'removal.ts',
    'removal: disables published secrets of others',
    'for (const each of living.filter(isOurs))',
    'for (const each of living)',
  ),
];

/** Clients without a client secret, and clients that act for themselves. */
const CLIENTS: readonly Mutant[] = [
  inRotation(
    'steps/clientCredentials.ts',
    'key: an entry may name any key of the vault',
    'ensureKeyAllowed(this.#connection, key, vaultKey);',
    '',
  ),
  inRotation(
    'steps/clientCredentials.ts',
    'key: another version of a refused key is not noticed',
    'sources.push({ secret: name, kind, version: vaultKey.version, setAt: vaultKey.createdAt });',
    '',
  ),
  inRotation(
    'steps/sendTokenRequest.ts',
    'key: one that cannot sign ends the attempt, although another could',
    'unproven ??= thrown;',
    'throw thrown;',
  ),
  inRotation(
    'steps/rotation.ts',
    'client: a refresh token that nothing asked for is stored',
    ' || sent === NO_REFRESH_TOKEN) return undefined;',
    ') return undefined;',
  ),
  inRotation(
    'steps/gather.ts',
    'client: a forced rotation ends a removal',
    "return failure?.code === 'connection_removed' && hasChanged(failure.clearedBy, connection, ports);",
    'return true;',
  ),
  inRotation(
    'core/outcome.ts',
    'client: a refused request waits for another refresh token',
    "if (connection.grant === 'client_credentials') return [];",
    '',
  ),
  inRotation(
    'steps/writes.ts',
    'client: a version of a refresh token is reserved',
    "grant === 'client_credentials' || kept.has(name) ? [] : [vaults.credential]",
    'kept.has(name) ? [] : [vaults.credential]',
  ),
];

/** A list is read again and again, and from a service that is not trusted. */
const LISTS: readonly Mutant[] = [
  {
    name: 'lists: what a failed read left open stays open',
    file: 'lib/azure/deadline.ts',
    find: 'controller.abort(thrown);',
    replace: '',
    tests: ['test/integration/azure/blobRecords.test.ts'],
  },
  {
    name: 'endless responses: they are read as long as they go on',
    file: 'lib/azure/responseReader.ts',
    find: 'if (this.#length <= LONGEST_TEXT_BYTES) return;',
    replace: 'if (this.#length > 0) return;',
    tests: ['test/integration/azure/responseReader.test.ts'],
  },
  {
    name: 'lists: a body without a reader ends the process if it breaks off',
    file: 'lib/azure/responseReader.ts',
    find: "this.#body.on('error', () => undefined);",
    replace: '',
    tests: ['test/integration/azure/responseReader.test.ts'],
  },
  {
    name: 'lists: any other page counts as an empty list',
    file: 'lib/azure/blobXml.ts',
    find: "if (root !== LIST) throw new Error('The response is not a list of blobs.');",
    replace: 'if (root !== LIST) return;',
    tests: ['test/unit/azure/blobXml.test.ts'],
  },
  {
    name: 'lists: records that are gone stay in the list',
    file: 'lib/azure/blobRecords.ts',
    find: 'const summaries = new Map<string, RecordSummary>();',
    replace:
      'const summaries = new Map([...this.#listed.values()].map(({ connection, summary }) => [connection, summary]));',
    tests: ['test/integration/azure/blobRecords.test.ts'],
  },
];

/** The guards of the protocol (ARCHITECTURE.md), each switched off individually. */
export const MUTANTS: readonly Mutant[] = [
  ...LEASE,
  ...BEFORE_THE_REQUEST,
  ...AFTER_THE_REQUEST,
  ...SLOW_PROVIDER,
  ...PUBLISHED,
  ...RECOVERY,
  ...CREDENTIALS,
  ...FORGED,
  ...OPERATORS,
  ...REMOVAL,
  ...LAG,
  ...REFUSED,
  ...LIFETIMES,
  ...OTHER_DEPLOYMENTS,
  ...MALFORMED,
  ...SUPERSEDED,
  ...EGRESS,
  ...READS,
  ...LOOKUPS,
  ...PACING,
  ...CLIENTS,
  ...LISTS,
];

/**
 * The text of the mutant's file with the guard switched off.
 * @throws Error if `find` does not occur exactly once
 */
export function mutated(text: string, { name, file, find, replace }: Mutant): string {
  const [before, after, ...more] = text.split(find);
  if (before === undefined || after === undefined || more.length > 0)
    throw new Error(
      `The mutant "${name}" must fit ${file} exactly once. Its guard has changed: update \`find\` in mutants.ts.`,
    );
  return before + replace + after;
}
