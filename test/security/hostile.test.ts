import diagnostics from 'node:diagnostics_channel';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../lib/errors.ts';
import type { ConnectionStatus } from '../../lib/rotation/core/status.ts';
import { accepted, readAccessToken } from '../../local/requests.ts';
import { canary, traces } from './canaries.ts';
import {
  everythingOf,
  HEALTHY,
  listedSecrets,
  type Stage,
  startStage,
  storedBlobs,
  type Victim,
} from './stage.ts';

/** The memory that the whole sweep may add to the process, including servers and test; a single bomb would add 256 MiB. */
const MOST_GROWTH_BYTES = 192 * 1024 * 1024;

interface Outcome {
  readonly outcome: Victim['outcome'] | undefined;
  readonly refreshToken: string | undefined;
}

let stage: Stage;
let growthBytes = 0;
let healthyToken = '';
let ended = false;
let healthyBeforeEnd = false;
const outcomes = new Map<string, Outcome>();
/** Everything that left the process, except the requests to the vaults and the providers. */
const shown = new Map<string, string>();
/** The data that a tracer would record for each request to a provider. */
const requested: string[] = [];
const complaints: unknown[] = [];

beforeAll(async () => {
  stage = await startStage();
  process.on('unhandledRejection', complain).on('warning', complain);
  diagnostics.subscribe('undici:request:create', trace);
  await sweep();
  await look();
}, 300_000);

afterAll(async () => {
  process.off('unhandledRejection', complain).off('warning', complain);
  diagnostics.unsubscribe('undici:request:create', trace);
  await stage?.close();
  if (outcomes.size > 0) process.stdout.write(`${table()}\n`);
});

const complain = (thrown: unknown) => void complaints.push(thrown);
const trace = (message: unknown) => {
  const { origin, method, path } = (message as { request: Record<string, unknown> }).request;
  requested.push(`${method} ${origin}${path}`);
};

/** Runs one sweep by the timer, with all connections due. */
async function sweep(): Promise<void> {
  collectGarbage();
  const before = process.memoryUsage().rss;
  const highest = process.resourceUsage().maxRSS;
  const watch = setInterval(() => {
    growthBytes = Math.max(growthBytes, process.memoryUsage().rss - before);
  }, 10);
  const running = stage.harness.tick().finally(() => {
    clearInterval(watch);
    ended = true;
  });
  healthyToken = await freshToken();
  healthyBeforeEnd = !ended;
  await running;
  await finishSweep();
  // Memory that is used and freed within one turn of the event loop appears only in the peak value, which is in KiB.
  growthBytes = Math.max(growthBytes, (process.resourceUsage().maxRSS - highest) * 1024);
}

/**
 * Waits until all connections have an outcome: on a busy machine the time of the sweep ends before all had their turn, and a response
 * that never ends is awaited for a minute.
 */
async function finishSweep(): Promise<void> {
  const { rotator } = stage;
  for (;;) {
    const { connections: all } = await rotator.overview();
    // The storage account of the stack may be too slow as well.
    const left = all.filter(({ state, reason }) => state === 'new' || reason === 'storage_unavailable');
    if (left.length === 0 && all.every(({ state }) => state !== 'awaiting_response')) return;
    await Promise.all(left.map(({ name }) => rotator.rotate(name, false)));
    // A response is not to blame for what these looks leave behind.
    collectGarbage();
    await pause(500);
  }
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/** Waits until the access token of the healthy connection is published and its resource accepts it. */
async function freshToken(): Promise<string> {
  const { servers } = stage.harness;
  for (;;) {
    const token = await readAccessToken(HEALTHY, servers);
    if (token !== undefined && (await accepted(token, servers))) return token;
    await pause(50);
  }
}

/** Collects everything that is visible after the sweep, through every interface. */
async function look(): Promise<void> {
  const { harness, rotator, victims } = stage;
  const { connections: list } = await rotator.overview();
  await Promise.all(victims.map((victim) => noteOutcome(victim, list)));
  await Promise.all(victims.map(askAbout));
  shown.set('list', everythingOf(list));
  shown.set('blobs', await storedBlobs(stage));
  shown.set(
    'tags',
    await listedSecrets(
      stage,
      victims.map(({ connection }) => connection),
    ),
  );
  shown.set('traces', requested.join('\n'));
  shown.set('complaints', complaints.map(everythingOf).join('\n'));
  shown.set('log and responses', harness.output.join('\n'));
}

async function noteOutcome(
  { connection, entryName }: Victim,
  list: readonly ConnectionStatus[],
): Promise<void> {
  const secret = await stage.harness.readSecret('credential', `${connection}-refresh-token`);
  const status = list.find(
    ({ name }) => name === (entryName === undefined ? connection : shownName(entryName)),
  );
  const outcome = (status?.reason as ErrorCode | undefined) ?? status?.state;
  outcomes.set(connection, { outcome, refreshToken: secret?.value });
}

/** Reads everything about a connection that is available over HTTP and in the process. */
async function askAbout({ connection, entryName: name = connection }: Victim, index: number): Promise<void> {
  const { harness, rotator } = stage;
  const path = `connections/${encodeURIComponent(name)}`;
  await harness.http('connectionStatus', 'GET', path, { name });
  if (index % 2 === 0) await harness.http('rotateConnection', 'POST', `${path}/rotate`, { name });
  else
    shown.set(`result of ${name}`, everythingOf(await rotator.rotate(name, false).catch((thrown) => thrown)));
}

/** The name as `printable` in the configuration shows it. */
function shownName(entryName: string): string {
  const plain = entryName.replace(/[^!-~]/g, '?');
  return plain.length > 127 ? `${plain.slice(0, 127)}...` : plain;
}

function leaksOf({ connection }: Victim): string[] {
  const secrets = traces(connection);
  return [...shown]
    .filter(([, text]) => secrets.some((secret) => text.includes(secret)))
    .map(([place]) => place);
}

/** The refresh token that the vault must contain. */
function expectedToken({ connection, stored, brings }: Victim): string {
  return stored === 'new' ? (brings ?? canary(connection, 'refresh')) : canary(connection, 'stored');
}

function table(): string {
  const rows = stage.inputs.map(({ group, name, variants }) => {
    const victims = stage.victims.filter(({ input }) => input.name === name && input.group === group);
    const ends = [
      ...new Set(victims.map(({ connection }) => outcomes.get(connection)?.outcome ?? 'unknown')),
    ];
    const leaked = victims.flatMap(leaksOf).length;
    const lost = victims.filter(
      (each) => outcomes.get(each.connection)?.refreshToken !== expectedToken(each),
    ).length;
    return [group, name, String(variants.length), ends.join(', '), String(leaked), String(lost)];
  });
  const header = ['group', 'bad input', 'tried', 'outcome', 'leaked canaries', 'tokens lost'];
  const widths = header.map((title, at) =>
    Math.max(title.length, ...rows.map((row) => row[at]?.length ?? 0)),
  );
  const lines = [header, ...rows].map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('  ')
      .trimEnd(),
  );
  const mib = (growthBytes / 1024 / 1024).toFixed(1);
  const tooLarge = [...outcomes.values()].filter(
    ({ outcome }) => outcome === 'refresh_token_too_large',
  ).length;
  const sum = (at: number) => rows.reduce((total, row) => total + Number(row[at]), 0);
  const total = `${rows.length} inputs, ${sum(2)} variants, ${sum(4)} leaked canaries, ${sum(5)} tokens lost (and ${tooLarge} that no vault can hold, reported), peak memory growth ${mib} MiB`;
  return ['', ...lines, '', total].join('\n');
}

describe('the table', () => {
  test('has the 48 inputs', () => {
    const groups = Object.groupBy(stage.inputs, ({ group }) => group);
    const counts = Object.fromEntries(Object.entries(groups).map(([group, all]) => [group, all?.length]));
    expect(counts).toEqual({ address: 14, response: 19, tokens: 10, 'names and logs': 5 });
  });

  test('gives each input its outcome, and leaves the expected refresh token in the vault', () => {
    const expected = stage.victims.map((each) => [
      each.connection,
      each.input.name,
      each.outcome,
      expectedToken(each),
    ]);
    const found = stage.victims.map(({ connection, input }) => {
      const { outcome, refreshToken } = outcomes.get(connection) ?? {};
      return [connection, input.name, outcome, refreshToken];
    });
    expect(found).toEqual(expected);
  });
});

describe('secrets', () => {
  test('are not in a log, a trace, a response, a tag, a blob or an error', () => {
    expect([...shown].map(([place, text]) => [place, text.length > 0])).not.toContainEqual(['blobs', false]);
    expect(
      stage.victims.flatMap((victim) => leaksOf(victim).map((place) => [victim.connection, place])),
    ).toEqual([]);
  });

  test('are found by the search if one is planted', () => {
    const [victim] = stage.victims;
    if (!victim) return expect.fail('There are no victims.');
    shown.set('planted', `x ${canary(victim.connection, 'stored')} x`);
    expect(leaksOf(victim)).toEqual(['planted']);
    shown.delete('planted');
  });

  test('go only to the configured address', () => {
    expect(stage.server.asked).not.toContain('trap');
    const refused = stage.victims.filter(({ outcome }) => outcome === 'address_refused');
    const hosts = refused.map(({ tokenUri = '' }) => new URL(tokenUri).hostname);
    expect(stage.internet.dialled.filter(({ host }) => hosts.includes(host))).toEqual([]);
    expect(hosts.length).toBeGreaterThan(12);
  });
});

test('connects a rebound name to the address that it checked, and refuses the name at the next lookup', async () => {
  const { internet, victims, harness } = stage;
  const host = 'rebinding.example';
  expect(internet.dialled.filter((each) => each.host === host)).toEqual([{ host, address: '192.0.2.1' }]);
  const name = victims.find(({ input }) => input.name === 'rebinding')?.connection ?? '';
  const again = await harness.http('rotateConnection', 'POST', `connections/${name}/rotate?force=true`, {
    name,
  });
  expect(again).toMatchObject({ status: 409, body: { code: 'address_refused' } });
  expect(internet.dialled.filter((each) => each.host === host)).toHaveLength(1);
});

test('no log line or response contains a control character', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  const odd = stage.harness.output.filter((line) => /[\u0000-\u001f\u007f-\u009f]/.test(line));
  expect(odd).toEqual([]);
});

test('every error is caught', () => expect(complaints.map(everythingOf)).toEqual([]));

test('the same sweep rotates a healthy connection before it gives up the slowest victim', () => {
  expect(healthyToken).not.toBe('');
  expect(healthyBeforeEnd).toBe(true);
});

test('memory stays within its limit', () => {
  expect(growthBytes).toBeGreaterThan(0);
  expect(growthBytes).toBeLessThan(MOST_GROWTH_BYTES);
});
