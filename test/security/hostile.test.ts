import diagnostics from 'node:diagnostics_channel';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ErrorCode } from '../../lib/errors.ts';
import type { ConnectionStatus } from '../../lib/rotation/core/status.ts';
import { WHOLE_RESPONSE_DEADLINE_MS } from '../../lib/rotation/core/times.ts';
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

/** What the whole sweep may add to the memory of the process, servers and test included; each bomb alone would add 256 MiB. */
const MOST_GROWTH_BYTES = 192 * 1024 * 1024;

interface Outcome {
  readonly outcome: Victim['outcome'] | undefined;
  readonly refreshToken: string | undefined;
}

let stage: Stage;
let growthBytes = 0;
let healthyAfterMs = 0;
let healthyToken = '';
const outcomes = new Map<string, Outcome>();
/** Everything that left the process, but for the requests to the vaults and the providers themselves. */
const shown = new Map<string, string>();
/** What a tracer would record of each request to a provider. */
const requested: string[] = [];
const complaints: unknown[] = [];

beforeAll(async () => {
  stage = await startStage();
  process.on('unhandledRejection', complain).on('warning', complain);
  diagnostics.subscribe('undici:request:create', trace);
  await sweep();
  await look();
}, 120_000);

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

/** One sweep by the timer, with all connections due at once. */
async function sweep(): Promise<void> {
  collectGarbage();
  const before = process.memoryUsage().rss;
  const highest = process.resourceUsage().maxRSS;
  const watch = setInterval(() => {
    growthBytes = Math.max(growthBytes, process.memoryUsage().rss - before);
  }, 10);
  const startedAt = performance.now();
  const running = stage.harness.tick().finally(() => clearInterval(watch));
  healthyToken = await freshToken();
  healthyAfterMs = performance.now() - startedAt;
  await running;
  await finishSweep();
  // What came and went within one turn of the event loop shows only in the highest mark, which is in KiB.
  growthBytes = Math.max(growthBytes, (process.resourceUsage().maxRSS - highest) * 1024);
}

/** On a busy machine the sweep's time is over before all have had their turn: what it left to the next one is done here. */
async function finishSweep(): Promise<void> {
  const { rotator } = stage;
  const left = (await rotator.statusOfAll()).filter(({ state }) => state === 'new');
  await Promise.all(left.map(({ name }) => rotator.rotate(name, false)));
}

function collectGarbage(): void {
  setFlagsFromString('--expose-gc');
  runInNewContext('gc')();
}

/** The access token of the healthy connection, when it is published and its resource takes it. */
async function freshToken(): Promise<string> {
  const { servers } = stage.harness;
  for (;;) {
    const token = await readAccessToken(HEALTHY, servers);
    if (token !== undefined && (await accepted(token, servers))) return token;
    await pause(50);
  }
}

/** What is to be seen afterwards, by every way there is. */
async function look(): Promise<void> {
  const { harness, rotator, victims } = stage;
  const list = await rotator.statusOfAll();
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
  shown.set('log and answers', harness.output.join('\n'));
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

/** Asks for everything that can be had of a connection over HTTP, and in the process itself. */
async function askAbout({ connection, entryName: name = connection }: Victim, index: number): Promise<void> {
  const { harness, rotator } = stage;
  const path = `connections/${encodeURIComponent(name)}`;
  await harness.http('connectionStatus', 'GET', path, { name });
  if (index % 2 === 0) await harness.http('rotateConnection', 'POST', `${path}/rotate`, { name });
  else
    shown.set(`result of ${name}`, everythingOf(await rotator.rotate(name, false).catch((thrown) => thrown)));
}

/** As `printable` in the configuration shows it. */
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

/** The refresh token that must stand in the vault. */
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

  test('each ends as it must, and the refresh token that must stand in the vault does', () => {
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

describe('of the secrets', () => {
  test('none is in a log, a trace, an answer, a tag, a blob or an error', () => {
    expect([...shown].map(([place, text]) => [place, text.length > 0])).not.toContainEqual(['blobs', false]);
    expect(
      stage.victims.flatMap((victim) => leaksOf(victim).map((place) => [victim.connection, place])),
    ).toEqual([]);
  });

  test('the search finds one where it is', () => {
    const [victim] = stage.victims;
    if (!victim) return expect.fail('There are no victims.');
    shown.set('planted', `x ${canary(victim.connection, 'stored')} x`);
    expect(leaksOf(victim)).toEqual(['planted']);
    shown.delete('planted');
  });

  test('none goes to an address that is not the configured one', () => {
    expect(stage.server.asked).not.toContain('trap');
    const refused = stage.victims.filter(({ outcome }) => outcome === 'address_refused');
    const hosts = refused.map(({ tokenUri = '' }) => new URL(tokenUri).hostname);
    expect(stage.internet.dialled.filter(({ host }) => hosts.includes(host))).toEqual([]);
    expect(hosts.length).toBeGreaterThan(12);
  });
});

test('a name that is rebound is connected to where it was checked, and refused at the next look', async () => {
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

test('no control character is in a line of the log or in an answer', () => {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what this is about
  const odd = stage.harness.output.filter((line) => /[\u0000-\u001f\u007f-\u009f]/.test(line));
  expect(odd).toEqual([]);
});

test('nothing is thrown that nobody catches', () => expect(complaints.map(everythingOf)).toEqual([]));

test('a healthy connection is rotated in the same sweep, before the slowest of them is given up', () => {
  expect(healthyToken).not.toBe('');
  expect(healthyAfterMs).toBeLessThan(WHOLE_RESPONSE_DEADLINE_MS);
});

test('memory stays within its bounds', () => {
  expect(growthBytes).toBeGreaterThan(0);
  expect(growthBytes).toBeLessThan(MOST_GROWTH_BYTES);
});
