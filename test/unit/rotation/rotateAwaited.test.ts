import { describe, expect, test } from 'vitest';
import { publishedTags } from '../../../lib/rotation/core/tags.ts';
import type { TokenResponse } from '../../../lib/rotation/core/tokenRequest.ts';
import { failure } from './world/fakeVault.ts';
import { refusal } from './world/provider.ts';
import {
  ACCESS_TOKEN,
  due,
  expectHealthy,
  HOUR,
  mustRotate,
  passToDue,
  REFRESH_TOKEN,
  replaceByHand,
  type Scenario,
  seeded,
} from './world/scenario.ts';

const ALWAYS = Number.POSITIVE_INFINITY;

/** The storage account renews no lease, and the next token responses take so long. */
function slowDown({ world }: Scenario, responses: number, ms = 50_000): void {
  world.before('renew crm', () => Promise.reject(failure('storage_unavailable')), ALWAYS);
  world.after(/^grant/, () => world.clock.sleep(ms), responses);
}

/** Within the grace period, a first process has sent its request and waits for 50 s; a second one has repeated it at once. */
async function repeated(answers: readonly TokenResponse[] = [], lifetimeMs = HOUR) {
  const scenario = seeded({ behavior: { refreshTokenGraceMs: 30_000 } });
  const { world, connection, process } = scenario;
  world.provider.lifetimeMs = lifetimeMs;
  await mustRotate(scenario);
  await passToDue(scenario);
  slowDown(scenario, 1);
  void process.start(connection);
  await world.clock.pass(20_000);
  world.provider.script(...answers);
  const second = world.process();
  const result = await second.rotate(connection);
  return { ...scenario, process: second, result, sent: world.provider.sent.length };
}

test('a request that may be repeated at any time holds up no other', async () => {
  const scenario = await due({ behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY } });
  const { world, connection, process } = scenario;
  slowDown(scenario, 1);
  void process.start(connection);
  await world.clock.pass(20_000);
  const second = world.process();
  await mustRotate({ connection, process: second });
  expect(await second.rotate(connection, true)).toMatchObject({ result: 'rotated' });
  expect(world.provider.sent).toHaveLength(4);
});

describe('a request that was repeated, and has no response yet, holds up the next one', () => {
  test('although the repetition has brought the next refresh token', async () => {
    const cutOff = { refreshToken: 'refresh-token-next', ...refusal('outcome_unknown') };
    const { world, connection, process, result } = await repeated([cutOff]);
    expect(result).toMatchObject({ result: 'retrying' });
    expect(world.credentials.latest(REFRESH_TOKEN)?.value).toBe('refresh-token-next');
    await world.clock.pass(10_000);
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying' });
    expect(world.provider.sent).toHaveLength(3);
  });

  test('although a caller forces it', async () => {
    const { world, connection, process } = await repeated();
    const waiting = { result: 'awaiting_response', reason: 'awaiting_response' } as const;
    expect(await process.rotate(connection, true)).toMatchObject(waiting);
    expect(world.provider.sent).toHaveLength(3);
    expect(world.record('crm')).not.toHaveProperty('failure');
  });

  test('although the response to the repetition was not usable, and the access token is over', async () => {
    const unusable = refusal('outcome_unknown');
    const scenario = await repeated([unusable, unusable], 75_000);
    const { world, connection, sent } = scenario;
    expect(scenario.result).toMatchObject({ result: 'outcome_unknown' });
    await world.clock.pass(15_000);
    expect(await world.process().rotate(connection)).toMatchObject({ result: 'outcome_unknown' });
    expect(world.provider.sent).toHaveLength(sent);
    await passToDue(scenario);
    await mustRotate({ connection, process: world.process() });
    expectHealthy(scenario);
  });

  test('although the record was lost after the repetition', async () => {
    const { world, connection, process } = await repeated();
    world.records.lose('crm');
    expect(await process.rotate(connection)).toMatchObject({ result: 'awaiting_response' });
    expect(world.provider.sent).toHaveLength(3);
  });

  test('until it has its response, or is not awaited any longer', async () => {
    const scenario = await repeated();
    const { world, connection, process } = scenario;
    world.records.lose('crm');
    await process.rotate(connection);
    await passToDue(scenario);
    await mustRotate({ connection, process });
    expectHealthy(scenario);
  });
});

test('a response that arrives late is saved as what it is, also if an operator removed the tags of the token that was sent', async () => {
  const scenario = await due({ behavior: { refreshTokenGraceMs: 23_000 } });
  const { world, connection, process } = scenario;
  slowDown(scenario, 1, 21_000);
  const late = process.start(connection);
  await world.clock.pass(20_000);
  world.credentials.tag(REFRESH_TOKEN, world.credentials.latest(REFRESH_TOKEN)?.version ?? '', {});
  // Whatever the second process writes first, it writes after the response has arrived.
  world.before(`put ${REFRESH_TOKEN}`, () => world.clock.sleep(2_000));
  await world.process().rotate(connection);
  await world.settle(late);
  await passToDue(scenario);
  await mustRotate(scenario);
  expectHealthy(scenario);
});

/**
 * A first process has sent its request, a second one has repeated it within the grace period, and the first one has saved what it got.
 * The response to the repetition may still arrive.
 */
async function repeatedAndSaved(listingLagMs = 0) {
  const scenario = await due({ behavior: { refreshTokenGraceMs: 30_000 } });
  const { world, connection, process } = scenario;
  world.credentials.listingLagMs = listingLagMs;
  const copy = world.record('crm');
  slowDown(scenario, 2);
  void process.start(connection);
  await world.clock.pass(20_000);
  void world.process().start(connection);
  await world.clock.pass(35_000);
  expect(world.provider.sent).toHaveLength(3);
  return { ...scenario, copy, next: world.process() };
}

describe('a refresh token that came from an earlier request', () => {
  test('is not sent while the response to the repeated one may still arrive', async () => {
    const { world, connection, next } = await repeatedAndSaved();
    expect(await next.rotate(connection)).toMatchObject({ result: 'awaiting_response' });
    expect(world.provider.sent).toHaveLength(3);
  });

  test('is sent once that response has arrived or is not awaited any longer', async () => {
    const scenario = await repeatedAndSaved();
    const { world, connection, next } = scenario;
    await next.rotate(connection);
    await passToDue(scenario);
    await mustRotate({ connection, process: next });
    expect(world.provider.sent).toHaveLength(4);
    expectHealthy(scenario);
  });

  test('is not sent either if the record is lost, and the listing shows the past', async () => {
    const { world, connection, next } = await repeatedAndSaved(40_000);
    world.records.lose('crm');
    expect(await next.rotate(connection)).toMatchObject({ result: 'awaiting_response' });
    expect(world.provider.sent).toHaveLength(3);
  });

  test('is sent if the one that brought it is disabled: nothing says that another request is out', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    await mustRotate(scenario);
    const [parent] = world.credentials.history(REFRESH_TOKEN).slice(-2);
    world.credentials.disable(REFRESH_TOKEN, parent?.version);
    world.credentials.listingLagMs = 24 * 3_600_000;
    world.records.lose('crm');
    await mustRotate({ connection, process });
  });

  test('is sent if the tags name a version that the vault rejects: they are forged', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const { version = '', tags } = world.credentials.latest(REFRESH_TOKEN) ?? {};
    world.credentials.tag(REFRESH_TOKEN, version, { ...tags, parent: 'abc' });
    world.records.lose('crm');
    let reads = 0;
    const refuseSecond = () => {
      reads += 1;
      if (reads === 2) throw failure('vault_rejected');
    };
    world.before(`get ${REFRESH_TOKEN}`, refuseSecond, ALWAYS);
    await mustRotate({ connection, process });
  });

  test('is not sent either if the record came back as a copy from before both requests', async () => {
    const { world, connection, next, copy } = await repeatedAndSaved();
    world.records.change('crm', () => copy);
    expect(await next.rotate(connection)).toMatchObject({ result: 'awaiting_response' });
    expect(world.provider.sent).toHaveLength(3);
  });
});

describe("an operator's new refresh token, while another deployment waits for a response", () => {
  test('is not sent before that response has arrived or is not awaited any longer', async () => {
    const scenario = await due();
    const { world, connection } = scenario;
    const process = world.process(world.otherRecords);
    slowDown(scenario, 1);
    void scenario.process.start(connection);
    await world.clock.pass(5_000);
    replaceByHand(scenario);
    expect(await process.rotate(connection)).toMatchObject({ result: 'awaiting_response' });
    expect(world.provider.sent).toHaveLength(2);
    scenario.process.crash();
    await world.clock.pass(60_000);
    await mustRotate({ connection, process });
  });

  test('is not sent either if the request was announced after the look at the vault', async () => {
    const scenario = await due();
    const { world, connection } = scenario;
    const process = world.process(world.otherRecords);
    replaceByHand(scenario);
    // The other deployment has read the token that is replaced, and announces its request a second later.
    const replaced = world.credentials.history(REFRESH_TOKEN).at(-2)?.version ?? '';
    world.after(`put ${REFRESH_TOKEN}`, () => {
      const at = new Date(world.now()).toISOString();
      const { tags = {} } = world.credentials.get(REFRESH_TOKEN, replaced) ?? {};
      const intent = { 'intent-started': at, 'intent-epoch': '7', 'intent-store': world.records.host };
      world.credentials.tag(REFRESH_TOKEN, replaced, { ...tags, ...intent });
    });
    expect(await process.rotate(connection)).toMatchObject({ result: 'awaiting_response' });
    expect(world.provider.sent).toHaveLength(1);
  });

  test('is sent immediately if the announced request begins in the future: such a tag is forged', async () => {
    const scenario = await due();
    const { world, connection, process } = scenario;
    const { version = '', tags = {} } = world.credentials.latest(REFRESH_TOKEN) ?? {};
    const intent = {
      'intent-started': '2121-01-01T00:00:00Z',
      'intent-epoch': '7',
      'intent-store': 'x.example',
    };
    world.credentials.tag(REFRESH_TOKEN, version, { ...tags, ...intent });
    replaceByHand(scenario);
    await mustRotate({ connection, process });
  });
});

test('a replay is not sent if the sender of the first request still waits for the vault to save its response', async () => {
  const scenario = await due();
  const { world, connection, process } = scenario;
  world.before('renew crm', () => Promise.reject(failure('storage_unavailable')), ALWAYS);
  let isReadOnly = true;
  const refuse = () => {
    if (isReadOnly) throw failure('vault_unavailable');
  };
  world.before(new RegExp(`^put ${REFRESH_TOKEN}`), refuse, ALWAYS);
  void process.start(connection);
  await passToDue(scenario);
  const { expiresAt = 0 } = world.tokens.latest(ACCESS_TOKEN) ?? {};
  await world.clock.pass(expiresAt - 50_000 - world.now());
  expect(world.provider.sent).toHaveLength(2);
  isReadOnly = false;
  const next = world.process();
  await mustRotate({ connection, process: next });
  expect(new Set(world.provider.sent).size).toBe(3);
  expect(world.provider.sent).toHaveLength(3);
  expectHealthy(scenario);
});

test('an access token behind a placeholder that arrived late becomes the latest version again', async () => {
  const { world, connection, process } = await due();
  const { value } = world.tokens.latest(ACCESS_TOKEN) ?? {};
  const tags = publishedTags({ connection: 'crm', generation: 0 });
  world.tokens.put(ACCESS_TOKEN, 'pending', { tags, enabled: false });
  world.before(/^grant/, () => Promise.reject(failure('provider_unavailable')));
  await process.rotate(connection);
  expect(world.tokens.latest(ACCESS_TOKEN)?.value).toBe(value);
  expect(world.events('late_write_undone')).toHaveLength(1);
});
