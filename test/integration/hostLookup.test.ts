import { execFileSync } from 'node:child_process';
import dns, { type LookupAddress } from 'node:dns';
import { closeSync, constants, mkdtempSync, open, openSync, rmSync } from 'node:fs';
import type { LookupFunction } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { hostLookup, type LookupSources } from '../../lib/hostLookup.ts';
import { createTokenEndpoint } from '../../lib/oauth/tokenEndpoint.ts';
import { startDnsServer, type Zone } from '../support/dnsServer.ts';
import { connectionNamed } from '../unit/rotation/world/connection.ts';

/** A lookup with a real DNS server, and a system's resolver that never responds. */
async function start(zone: Zone, sources: LookupSources = {}) {
  const server = await startDnsServer(zone);
  const ofSystem: { hostname: string; done: Parameters<LookupFunction>[2] }[] = [];
  const lookup = hostLookup({
    hosts: () => '127.0.0.1 localhost\n',
    resolver: () => {
      const resolver = new dns.promises.Resolver({ timeout: 100, tries: 1 });
      resolver.setServers([server.address]);
      return resolver;
    },
    system: (hostname, _, done) => void ofSystem.push({ hostname, done }),
    ...sources,
  });
  return { lookup, ofSystem, queries: server.queries };
}

/** What a lookup finds: addresses, or the code of an error. */
function found(lookup: LookupFunction, hostname: string, options = {}): Promise<unknown> {
  return new Promise((resolve) =>
    lookup(hostname, { all: true, ...options }, (error, address) =>
      resolve(
        error
          ? error.code
          : Array.isArray(address)
            ? address.map((each: LookupAddress) => each.address)
            : address,
      ),
    ),
  );
}

const until = (condition: () => boolean) =>
  expect.poll(condition, { interval: 5, timeout: 5_000 }).toBe(true);

describe('a lookup', () => {
  test('finds the addresses that the name servers have', async () => {
    const { lookup, ofSystem } = await start({ 'login.example': ['20.0.0.1', '20.0.0.2'] });
    expect(await found(lookup, 'login.example')).toEqual(['20.0.0.1', '20.0.0.2']);
    expect(await found(lookup, 'login.example', { all: false })).toBe('20.0.0.1');
    expect(await found(lookup, 'login.example', { family: 6 })).toBe('ENOTFOUND');
    expect(ofSystem).toEqual([]);
  });

  test('prefers the hosts file, which may change at any time', async () => {
    let hosts =
      '# 20.0.0.9 login.example\n10.0.0.1 a Login.Example # ours\n::1 login.example\nnonsense login.example';
    const { lookup } = await start({ 'login.example': ['20.0.0.1'] }, { hosts: () => hosts });
    expect(await found(lookup, 'login.example')).toEqual(['10.0.0.1', '::1']);
    hosts = '';
    expect(await found(lookup, 'login.example')).toEqual(['20.0.0.1']);
  });

  test('asks the system for a name that the name servers deny, for example one with a search domain', async () => {
    const system: LookupFunction = (_, __, done) => done(null, [{ address: '10.0.0.2', family: 4 }]);
    const { lookup } = await start({}, { system });
    expect(await found(lookup, 'adfs')).toEqual(['10.0.0.2']);
  });

  test('asks the system if there is no name server', async () => {
    const resolver = () => {
      const none = new dns.promises.Resolver({ timeout: 100, tries: 1 });
      none.setServers(['127.0.0.1:1']);
      return none;
    };
    const system: LookupFunction = (_, __, done) => done(null, '10.0.0.2', 4);
    const { lookup } = await start({}, { resolver, system });
    expect(await found(lookup, 'login.example')).toEqual(['10.0.0.2']);
  });

  test("ends with the system's error if no source knows the name", async () => {
    const unknown = Object.assign(new Error('unknown'), { code: 'EAI_AGAIN' });
    const { lookup } = await start({}, { system: (_, __, done) => done(unknown, []) });
    expect(await found(lookup, 'unknown.example')).toBe('EAI_AGAIN');
  });

  test('is shared by callers that ask for the same name at the same time', async () => {
    const { lookup, queries } = await start({ 'login.example': ['20.0.0.1'] });
    const all = await Promise.all([found(lookup, 'login.example'), found(lookup, 'login.example')]);
    expect(all).toEqual([['20.0.0.1'], ['20.0.0.1']]);
    expect(queries.toSorted()).toEqual(['A login.example', 'AAAA login.example']);
  });
});

describe('names whose resolver hangs', () => {
  const hanging = Array.from({ length: 20 }, (_, index) => `hangs-${index}.example`);
  const silent: Zone = Object.fromEntries(hanging.map((name) => [name, 'silent' as const]));

  test('end with an error, and none of them takes a thread', async () => {
    const { lookup, ofSystem } = await start(silent);
    const ended = await Promise.all(hanging.map((name) => found(lookup, name)));
    expect(new Set(ended)).toEqual(new Set(['ETIMEOUT']));
    expect(ofSystem).toEqual([]);
  });

  test('take one thread at a time if only the system can know them', async () => {
    const { lookup, ofSystem } = await start({ 'login.example': ['20.0.0.1'] });
    const waiting = hanging.map((name) => found(lookup, name));
    await until(() => ofSystem.length > 0);
    expect(await found(lookup, 'login.example')).toEqual(['20.0.0.1']);
    expect(ofSystem).toHaveLength(1);
    for (let each = ofSystem.shift(); each; each = ofSystem.shift()) {
      each.done(null, '10.0.0.1', 4);
      await new Promise(setImmediate);
      expect(ofSystem.length).toBeLessThanOrEqual(1);
    }
    expect(await Promise.all(waiting)).toEqual(hanging.map(() => ['10.0.0.1']));
  });

  test.skipIf(process.platform === 'win32')(
    'delay no token request to another host, even if no thread is free',
    async () => {
      const { lookup } = await start({ ...silent, 'login.example': ['127.0.0.1'] });
      takeAllThreads();
      const connection = connectionNamed('crm', { tokenUri: 'https://login.example/token' });
      const endpoint = createTokenEndpoint({ allowLoopbackHttp: false, now: Date.now, lookup });
      const credentials = { clientId: 'id', clientSecret: 'secret', refreshToken: 'token' };
      const waiting = hanging.map((name) => found(lookup, name));
      const { failure } = await endpoint.send(
        { connection, ...credentials },
        { mayStillSend: () => true, waitMs: 15_000 },
      );
      // Its name was resolved, and the address was checked.
      expect(failure?.code).toBe('address_refused');
      await Promise.all(waiting);
    },
  );
});

/** Occupies every thread of libuv until the test ends: opening a pipe waits for the other end. */
function takeAllThreads(): void {
  const folder = mkdtempSync(join(tmpdir(), 'threads-'));
  const pipes = Array.from({ length: Number(process.env.UV_THREADPOOL_SIZE ?? 4) }, (_, index) =>
    join(folder, `${index}`),
  );
  execFileSync('mkfifo', pipes);
  const opened = pipes.map(
    (pipe) =>
      new Promise<void>((resolve) => {
        open(pipe, 'r', (_, descriptor) => {
          if (descriptor) closeSync(descriptor);
          resolve();
        });
      }),
  );
  onTestFinished(async () => {
    const ends = pipes.map((pipe) => openSync(pipe, constants.O_RDWR));
    await Promise.all(opened);
    for (const end of ends) closeSync(end);
    rmSync(folder, { recursive: true });
  });
}
