import { expect, test } from 'vitest';
import type { TokenResponse } from '../../../lib/rotation/core/tokenRequest.ts';
import { refusal } from '../../unit/rotation/world/provider.ts';
import { recordNamed } from '../../unit/rotation/world/record.ts';
import { ACCESS_TOKEN, REFRESH_TOKEN, seeded } from '../../unit/rotation/world/scenario.ts';
import type { Caller } from '../../unit/rotation/world.ts';
import { owningRecord } from './judge.ts';
import { Witness } from './witness.ts';

const TRANSIENT = refusal('reauthorization_required');

/** A witness who sees requests that no rotation sends. */
function observed() {
  const { world, connection } = seeded();
  const witness = new Witness(world, TRANSIENT);

  /** @param arrives does the response reach the sender? */
  function send(refreshToken: string, { sender = world.process() as Caller, arrives = true } = {}) {
    const flight = witness.sends(sender, arrives ? undefined : 'response_lost');
    const client = { clientId: 'crm-client', clientSecret: 'client-secret-one' };
    const response = world.provider.grant({ connection, ...client, refreshToken });
    witness.executed(flight, response);
    witness.ended(flight, arrives);
    return response;
  }

  /** @returns the saved refresh token */
  function save({ refreshToken = '', accessToken }: TokenResponse): string {
    world.credentials.set(REFRESH_TOKEN, refreshToken);
    witness.wrote(`put ${REFRESH_TOKEN}`);
    const expiresAt = world.now() + (accessToken?.lifetimeMs ?? 0);
    world.tokens.put(ACCESS_TOKEN, accessToken?.value ?? '', { tags: {}, expiresAt });
    witness.wrote(`put ${ACCESS_TOKEN}`);
    return refreshToken;
  }
  return { world, witness, send, save, first: world.provider.consent() };
}

test('a family died of the vault that lost its newest token, not of a lost response that the next request made good', async () => {
  const { world, witness, send, save, first } = observed();
  world.provider.graceMs = 60_000;
  send(first, { arrives: false });
  witness.lostByVault([save(send(first))]);
  await world.clock.pass(61_000);
  expect(send(first)).toHaveProperty('failure');
  expect(witness.causeOfDeath(first)).toBe('lost_by_vault');
  expect(witness.violations).toEqual([]);
});

test('a family did not die of a request that was refused, although its process was killed afterwards', () => {
  const { world, witness, send, save, first } = observed();
  const sender = world.process();
  world.provider.script(TRANSIENT);
  send(first, { sender });
  sender.crash();
  witness.lostByVault([save(send(first))]);
  send(first);
  expect(witness.causeOfDeath(first)).toBe('lost_by_vault');
  expect(witness.violations).toEqual([]);
});

test.each([
  ['may be sent again within the grace', 1_800_000, false, []],
  ['may not be sent again without one', 0, false, ['A process sent a refresh token again too early.']],
  ['may be sent again if its refusal has arrived and was forgotten with the record', 0, true, []],
] as const)(
  'a token that expired before its first request was executed %s',
  async (_, graceMs, arrives, expected) => {
    const { world, witness, send, save, first } = observed();
    Object.assign(world.provider, { graceMs, deadline: { kind: 'idle', ms: 180_000 } });
    const second = save(send(first));
    await world.clock.pass(190_000);
    send(second, { arrives });
    send(second);
    expect(witness.violations).toEqual(expected);
  },
);

test('the deployment that sent the latest token last owns it, although an attacker removed its name from the tags', () => {
  const { world, witness, send, save, first } = observed();
  world.records.create(recordNamed());
  world.otherRecords.create(recordNamed('crm', { epoch: 7 }));
  send(save(send(first)), { sender: world.process(world.otherRecords) });
  expect(owningRecord(world, witness)).toMatchObject({ epoch: 7 });
});
