/** The servers of the benchmark, in a process of their own: what they cost is not what is measured. Commands come as messages. */
import { randomBytes } from 'node:crypto';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TLSSocket } from 'node:tls';
import { createCertificateAuthority } from '../../local/keyVault/certificateAuthority.ts';
import { LOOPBACK, listen } from '../../local/keyVault/http.ts';
import { startManagedIdentity } from '../../local/keyVault/managedIdentity.ts';
import { ALL_RIGHTS, type KeyVaultServer, startKeyVault } from '../../local/keyVault/server.ts';
import { createThrottle } from '../../local/keyVault/throttle.ts';
import { type BlobServer, startBlobServer } from './blobServer.ts';

/** Of each response, in milliseconds. */
export interface Latencies {
  readonly vault: number;
  readonly storage: number;
  readonly token: number;
}

/** What the benchmark can ask of the servers. */
export interface Commands {
  /** Starts two vaults, a storage account, the managed identity and so many token endpoints, each a host of its own. */
  start(hosts: number): Promise<Addresses>;
  setLatencies(latencies: Latencies): void;
  /** New versions per 10 s that each vault takes, from now on; 0: any number. */
  setQuota(versions: number): void;
  /** These token endpoints, by position, receive requests and never respond. */
  hang(hosts: readonly number[]): void;
  /** The refresh token works once, and each response brings a new one. */
  rotateRefreshTokens(isOn: boolean): void;
  /** Lets time pass for all servers, in milliseconds. */
  advance(ms: number): void;
  putSecrets(vault: number, secrets: Readonly<Record<string, string>>): Promise<void>;
  putRecords(container: string, records: readonly SeededRecord[]): void;
  takeCounts(): Counts;
  /** How many versions were written to a vault since the last {@link takeCounts}. */
  versions(vault: number): number;
}

/** A record as it is stored. */
export interface SeededRecord {
  readonly name: string;
  readonly body: string;
  readonly metadata: Readonly<Record<string, string>>;
}

/** Where the servers are, and how to trust and use them. */
export interface Addresses {
  readonly vaults: readonly [string, string];
  readonly storage: string;
  readonly identity: { readonly url: string; readonly header: string };
  readonly tokenEndpoints: readonly string[];
  readonly caCertificate: string;
}

/** What happened since the last call. */
export interface Counts {
  /** Requests by kind. */
  readonly requests: Readonly<Record<string, number>>;
  /** Refused with 429, by kind. */
  readonly throttled: Readonly<Record<string, number>>;
  /** Of those, the writes of a refresh token. */
  readonly throttledSaves: number;
  /** New versions, by vault. */
  readonly versions: readonly number[];
  /** Token requests whose connection resumed a TLS session. */
  readonly resumed: number;
  /** The most token requests in flight at one host. */
  readonly mostInFlight: number;
  /** From the first to the last write of a new version, refused ones included. */
  readonly writingSeconds: number;
}

const state = {
  latencies: { vault: 0, storage: 0, token: 0 } as Latencies,
  offsetMs: 0,
  hanging: new Set<number>(),
  rotates: false,
  throttles: new Map<KeyVaultServer, () => number | undefined>(),
  mostInFlight: 0,
  tokenRequests: 0,
  resumed: 0,
  writes: [] as number[],
};
const now = () => Date.now() + state.offsetMs;
const vaults: KeyVaultServer[] = [];
let storage: BlobServer | undefined;

const commands: Commands = {
  async start(hosts) {
    const authority = await createCertificateAuthority();
    const tls = await authority.issue([LOOPBACK, 'localhost']);
    const identity = await startManagedIdentity({ header: randomBytes(24).toString('base64url') });
    for (const name of ['one', 'two']) {
      const vault = await startKeyVault({ name, tls, now, authorize: () => ALL_RIGHTS });
      vault.intercept(async ({ operation }) => {
        if (state.latencies.vault > 0) await sleep(state.latencies.vault);
        if (operation === 'setSecret') state.writes.push(performance.now());
        const wait = operation === 'setSecret' ? state.throttles.get(vault)?.() : undefined;
        if (wait === undefined) return undefined;
        return { kind: 'answerInstead', answer: { status: 429, headers: { 'retry-after': String(wait) } } };
      });
      vaults.push(vault);
    }
    storage = await startBlobServer({ tls, now, latencyMs: () => state.latencies.storage });
    const tokenEndpoints: string[] = [];
    for (let host = 0; host < hosts; host++) tokenEndpoints.push(await startTokenEndpoint(host, tls));
    return {
      vaults: [vaults[0]?.tlsUrl ?? '', vaults[1]?.tlsUrl ?? ''],
      storage: storage.url,
      identity: { url: identity.url, header: identity.header },
      tokenEndpoints,
      caCertificate: authority.caCertificate,
    };
  },
  setLatencies(latencies) {
    state.latencies = latencies;
  },
  setQuota(versions) {
    for (const vault of vaults)
      state.throttles.set(vault, createThrottle(versions === 0 ? undefined : versions, now));
  },
  hang(hosts) {
    state.hanging = new Set(hosts);
  },
  rotateRefreshTokens(isOn) {
    state.rotates = isOn;
  },
  advance(ms) {
    state.offsetMs += ms;
  },
  async putSecrets(vault, secrets) {
    const { url = '' } = vaults[vault] ?? {};
    const left = Object.entries(secrets).values();
    const worker = async () => {
      for (const [name, value] of left) {
        const response = await fetch(`${url}/secrets/${name}?api-version=7.6`, {
          method: 'PUT',
          headers: { authorization: 'Bearer bench', 'content-type': 'application/json' },
          body: JSON.stringify({ value }),
        });
        if (!response.ok) throw new Error(`The vault responded with ${response.status}.`);
        await response.arrayBuffer();
      }
    };
    await Promise.all(Array.from({ length: 16 }, worker));
  },
  putRecords(container, records) {
    for (const { name, body, metadata } of records) storage?.put(container, name, body, metadata);
  },
  takeCounts() {
    const requests: Record<string, number> = { token: state.tokenRequests, ...storage?.takeCounts() };
    const throttled: Record<string, number> = {};
    let throttledSaves = 0;
    const versions = vaults.map(countVersions);
    for (const vault of vaults) {
      for (const { operation, status, path } of vault.requests) {
        requests[operation] = (requests[operation] ?? 0) + 1;
        if (status !== 429) continue;
        throttled[operation] = (throttled[operation] ?? 0) + 1;
        if (path.includes('-refresh-token')) throttledSaves += 1;
      }
      vault.clearRequests();
    }
    const [first = 0, last = first] = [state.writes[0], state.writes.at(-1)];
    const writingSeconds = (last - first) / 1000;
    const { mostInFlight, resumed } = state;
    const counts = { requests, throttled, throttledSaves, versions, resumed, mostInFlight, writingSeconds };
    state.writes = [];
    state.tokenRequests = 0;
    state.resumed = 0;
    state.mostInFlight = 0;
    return counts;
  },
  versions: (vault) => (vaults[vault] ? countVersions(vaults[vault]) : 0),
};

function countVersions({ requests }: KeyVaultServer): number {
  return requests.filter(({ operation, status }) => operation === 'setSecret' && status === 200).length;
}

async function startTokenEndpoint(host: number, tls: { key: string; cert: string }): Promise<string> {
  let inFlight = 0;
  const server = createServer(tls, async (request, response) => {
    inFlight += 1;
    state.tokenRequests += 1;
    if ((request.socket as TLSSocket).isSessionReused()) state.resumed += 1;
    state.mostInFlight = Math.max(state.mostInFlight, inFlight);
    response.once('close', () => {
      inFlight -= 1;
    });
    const form = new URLSearchParams(await text(request));
    if (state.hanging.has(host)) return;
    if (state.latencies.token > 0) await sleep(state.latencies.token);
    const body = JSON.stringify({
      access_token: randomBytes(900).toString('base64url'),
      token_type: 'Bearer',
      expires_in: 3_600,
      refresh_token: state.rotates ? randomBytes(48).toString('base64url') : form.get('refresh_token'),
    });
    response.writeHead(200, { 'content-type': 'application/json' }).end(body);
  });
  return `https://${LOOPBACK}:${await listen(server)}/token`;
}

/** One command, and the number of its response. */
interface Message {
  readonly id: number;
  readonly command: keyof Commands;
  readonly args: readonly never[];
}

process.on('message', async ({ id, command, args }: Message) => {
  try {
    const run = commands[command] as (...values: readonly never[]) => unknown;
    process.send?.({ id, result: await run(...args) });
  } catch (thrown) {
    process.send?.({ id, failure: String(thrown) });
  }
});
process.on('disconnect', () => process.exit());
