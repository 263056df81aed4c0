import { describe, expect, test } from 'vitest';
import { vaultHosts } from '../../../lib/rotation/core/ownership.ts';
import { isUnsentCopy, readOrigin } from '../../../lib/rotation/core/tags.ts';
import { createRotator } from '../../../lib/rotator.ts';
import { connectionNamed, OTHER_STORE, STORE } from './world/connection.ts';
import { failure } from './world/fakeVault.ts';
import type { Process } from './world/process.ts';
import { recordNamed } from './world/record.ts';
import {
  ACCESS_TOKEN,
  due,
  forgeTags,
  HOUR,
  passToDue,
  REFRESH_TOKEN,
  replaceByHand,
  type Scenario,
  seeded,
} from './world/scenario.ts';

/** Two deployments with the same vaults, each with its own record store. */
function twoDeployments(scenario: Scenario): Scenario & { readonly other: Process } {
  return { ...scenario, other: scenario.world.process(scenario.world.otherRecords) };
}

const results = async ({ world, connection }: Scenario, ...processes: Process[]) => {
  const rotations = await world.settle(Promise.all(processes.map((process) => process.start(connection))));
  return rotations.map((each) => (each === 'crashed' ? each : (each.problem?.code ?? each.result)));
};

const sent = ({ world }: Scenario) => world.provider.sent;

describe('two deployments that find the same refresh token of an operator', () => {
  test('copy it in the same second: the one with the lower store sends it, and the other reports the owner', async () => {
    const scenario = twoDeployments(seeded());
    const { world, process, other } = scenario;
    expect(await results(scenario, process, other)).toEqual(['owned_elsewhere', 'rotated']);
    expect(sent(scenario)).toHaveLength(1);
    expect(world.provider.accepts(world.credentials.latest(REFRESH_TOKEN)?.value)).toBe(true);
    expect(world.record('crm').failure).toMatchObject({
      blocked: true,
      message: expect.stringContaining(OTHER_STORE),
    });
  });

  test('copy it in different seconds: the earlier one sends it', async () => {
    const scenario = twoDeployments(seeded());
    const { world, process, other } = scenario;
    world.before(`put ${REFRESH_TOKEN}`, ({ caller }) => {
      if (caller === other) return world.clock.sleep(1_500);
      world.before(`put ${REFRESH_TOKEN}`, () => world.clock.sleep(1_500));
      return undefined;
    });
    expect(await results(scenario, process, other)).toEqual(['rotated', 'owned_elsewhere']);
    expect(sent(scenario)).toHaveLength(1);
  });

  test('the owner goes on although the copy of the other came last', async () => {
    const scenario = twoDeployments(seeded());
    const { world, connection, process, other } = scenario;
    // The copy arrives when the owner has already saved the next token.
    world.before(`put ${REFRESH_TOKEN}`, ({ caller }) => {
      if (caller === other) return world.clock.sleep(10_000);
      world.before(`put ${REFRESH_TOKEN}`, () => world.clock.sleep(10_000));
      return undefined;
    });
    expect(await results(scenario, process, other)).toEqual(['rotated', 'owned_elsewhere']);
    await passToDue(scenario);
    expect(await process.rotate(connection)).toMatchObject({ result: 'rotated', generation: 2 });
    expect(new Set(sent(scenario)).size).toBe(2);
    expect(readOrigin(world.credentials.latest(REFRESH_TOKEN)?.tags ?? {})?.store).toBe(STORE);
  });

  test('the one that is not the owner leaves alone what the owner has published in the meantime', async () => {
    const scenario = twoDeployments(seeded());
    const { world, process, other } = scenario;
    world.after(
      `get ${ACCESS_TOKEN}`,
      ({ caller }) => (caller === process ? world.clock.sleep(5_000) : undefined),
      2,
    );
    expect(await results(scenario, process, other)).toEqual(['owned_elsewhere', 'rotated']);
    expect(world.tokens.latest(ACCESS_TOKEN)?.value).toMatch(/^access-token-/);
  });

  test('the owner dies before it sends: it compares again, and goes on', async () => {
    const scenario = twoDeployments(seeded());
    const { world, connection, process, other } = scenario;
    world.after(`put ${REFRESH_TOKEN}`, ({ caller }) => caller === other && caller.crash());
    await results(scenario, other);
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'owned_elsewhere' } });
    await world.clock.pass(60_000);
    const restarted = world.process(world.otherRecords);
    expect(await restarted.rotate(connection)).toMatchObject({ result: 'rotated' });
    expect(sent(scenario)).toHaveLength(1);
  });

  test('both die before they compare: the owner goes on with its copy, whatever epoch the other one counts', async () => {
    const scenario = twoDeployments(seeded());
    const { world, connection, process, other } = scenario;
    world.records.create(recordNamed('crm', { epoch: 9 }));
    world.after(`put ${REFRESH_TOKEN}`, ({ caller }) => caller.crash(), 2);
    world.before(`put ${REFRESH_TOKEN}`, ({ caller }) => caller === process && world.clock.sleep(1_500), 2);
    expect(await results(scenario, process, other)).toEqual(['crashed', 'crashed']);
    await world.clock.pass(60_000);
    const restarted = world.process(world.otherRecords);
    expect(await restarted.rotate(connection)).toMatchObject({ result: 'rotated' });
    expect(readOrigin(world.credentials.latest(REFRESH_TOKEN)?.tags ?? {})?.store).toBe(OTHER_STORE);
    expect(sent(scenario)).toHaveLength(1);
  });

  test('the other one dies before it compares: the owner rotates, and the other compares when it is back', async () => {
    const scenario = twoDeployments(seeded());
    const { world, connection, process, other } = scenario;
    world.after(`put ${REFRESH_TOKEN}`, ({ caller }) => {
      if (caller === process) caller.crash();
      else world.after(`put ${REFRESH_TOKEN}`, (next) => next.caller.crash());
    });
    expect(await results(scenario, process, other)).toEqual(['crashed', 'rotated']);
    await world.clock.pass(60_000);
    const restarted = world.process();
    expect(await restarted.rotate(connection)).toMatchObject({ problem: { code: 'owned_elsewhere' } });
    expect(sent(scenario)).toHaveLength(1);
  });

  test('one of them used the previous token already: there is nothing to compare', async () => {
    const scenario = twoDeployments(await due());
    const { world, connection, process, other } = scenario;
    expect(await other.rotate(connection)).toMatchObject({ problem: { code: 'owned_elsewhere' } });
    expect(await process.rotate(connection)).toMatchObject({ result: 'rotated' });
    expect(world.count(/^versions/)).toBe(0);
  });

  test('forged tags that make used tokens look like older copies of the latest one do not give it to another owner', async () => {
    const scenario = twoDeployments(await due());
    const { world, connection, process } = scenario;
    const latest = world.credentials.latest(REFRESH_TOKEN);
    expect(world.credentials.history(REFRESH_TOKEN).length).toBeGreaterThan(1);
    forgeTags(scenario, OTHER_STORE);
    expect(await process.rotate(connection)).toMatchObject({ result: 'rotated' });
    expect(sent(scenario).at(-1)).toBe(latest?.value);
  });

  test('a second token of the operator starts the race again', async () => {
    const scenario = twoDeployments(seeded());
    const { world, process, other } = scenario;
    await results(scenario, process, other);
    await world.clock.pass(60_000);
    replaceByHand(scenario);
    await world.clock.pass(HOUR);
    const again = await results(scenario, process, other);
    expect(again.toSorted()).toEqual(['owned_elsewhere', 'rotated']);
    expect(new Set(sent(scenario)).size).toBe(sent(scenario).length);
  });

  test('the one that lost can take the connection over', async () => {
    const scenario = twoDeployments(seeded());
    const { world, connection, process, other } = scenario;
    world.after(`put ${REFRESH_TOKEN}`, ({ caller }) => caller === other && caller.crash());
    await results(scenario, other);
    expect(await process.rotate(connection)).toMatchObject({ problem: { code: 'owned_elsewhere' } });
    const rotator = createRotator(process.ports, world.now);
    expect(await rotator.owner('crm')).toMatchObject({ owner: OTHER_STORE });
    await world.settle(rotator.takeOver('crm', OTHER_STORE));
    expect(await process.rotate(connection)).toMatchObject({ result: 'rotated' });
  });
});

describe('the comparison', () => {
  test('takes two seconds and a listing for a new token, and nothing later', async () => {
    const reusable = { behavior: { refreshTokenGraceMs: Number.POSITIVE_INFINITY } };
    const scenario = seeded(reusable);
    const { world, connection, process } = scenario;
    const startedAt = world.now();
    await process.rotate(connection);
    expect(world.now() - startedAt).toBeGreaterThanOrEqual(2_000);
    expect(isUnsentCopy(world.credentials.latest(REFRESH_TOKEN)?.tags ?? {})).toBe(false);
    await passToDue(scenario);
    world.operations.length = 0;
    const dueAt = world.now();
    await process.rotate(connection);
    expect(world.count(/^versions/)).toBe(0);
    expect(world.now() - dueAt).toBeLessThan(2_000);
  });

  test('is made again if the listing failed', async () => {
    const scenario = seeded();
    const { world, connection, process } = scenario;
    world.before(`versions ${REFRESH_TOKEN}`, () => undefined);
    world.before(`versions ${REFRESH_TOKEN}`, () => Promise.reject(failure('vault_unavailable')));
    expect(await process.rotate(connection)).toMatchObject({ result: 'retrying' });
    expect(sent(scenario)).toHaveLength(0);
    await world.clock.pass(60_000);
    expect(await process.rotate(connection)).toMatchObject({ result: 'rotated' });
    expect(world.count(/^versions/)).toBeGreaterThan(2);
  });
});

describe('a record that a deployment with another credential vault wrote', () => {
  const OTHER_VAULTS = { credential: 'other.vault.example', token: 'tokens.other.example' };

  async function foreignRecord(): Promise<Scenario> {
    const scenario = await due();
    scenario.world.records.change('crm', (record) => ({ ...record, vaults: OTHER_VAULTS }));
    return scenario;
  }

  test('is refused: nothing is sent or written, and the problem names both vaults', async () => {
    const scenario = await foreignRecord();
    const { world, connection, process } = scenario;
    const before = world.record('crm');
    for (const force of [false, true]) {
      const result = await process.rotate(connection, force);
      expect(result).toMatchObject({ result: 'blocked', problem: { code: 'owned_elsewhere' } });
      expect(result).toMatchObject({ problem: { message: expect.stringContaining('other.vault.example') } });
    }
    expect(sent(scenario)).toHaveLength(1);
    expect(world.record('crm')).toEqual(before);
  });

  test('is reported by each sweep although it is not due, by the status and by the plan', async () => {
    const scenario = await foreignRecord();
    const { world, process } = scenario;
    world.records.change('crm', (record) => ({ ...record, nextAttemptAt: world.now() + HOUR }));
    const rotator = createRotator(process.ports, world.now);
    expect(await world.settle(rotator.sweep())).toMatchObject({ overdue: 0, results: { blocked: 1 } });
    expect((await world.settle(rotator.overview())).connections).toMatchObject([
      {
        name: 'crm',
        state: 'blocked',
        reason: 'owned_elsewhere',
        fix: expect.stringContaining('takeover crm'),
      },
    ]);
    expect(await world.settle(rotator.status('crm'))).toMatchObject({
      state: 'blocked',
      fix: expect.stringContaining('rotator takeover crm'),
    });
    expect(await world.settle(rotator.plan())).toMatchObject([
      { action: 'block', reason: 'owned_elsewhere' },
    ]);
  });

  test('can be taken over after the vault was moved', async () => {
    const scenario = await foreignRecord();
    const { world, connection, process } = scenario;
    const rotator = createRotator(process.ports, world.now);
    const { credential: owner } = OTHER_VAULTS;
    expect(await world.settle(rotator.owner('crm'))).toMatchObject({ by: 'credential_vault', owner });
    await expect(world.settle(rotator.takeOver('crm', 'third.vault.example'))).rejects.toMatchObject({
      code: 'owned_elsewhere',
    });
    await world.settle(rotator.takeOver('crm', owner));
    expect(await process.rotate(connection)).toMatchObject({ result: 'rotated', generation: 2 });
  });

  test('is ours if only the token vault differs, or if it names no vault; the next write names ours', async () => {
    for (const vaults of [{ ...vaultHosts(connectionNamed()), token: 'before.vault.example' }, undefined]) {
      const scenario = await due();
      const { world, connection, process } = scenario;
      world.records.change('crm', (record) => ({ ...record, vaults }));
      expect(await process.rotate(connection)).toMatchObject({ result: 'rotated' });
      expect(world.record('crm').vaults).toEqual(vaultHosts(connection));
    }
  });
});
