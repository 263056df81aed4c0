import dns, { type LookupAddress } from 'node:dns';
import { readFileSync } from 'node:fs';
import { isIP, type LookupFunction } from 'node:net';

type Done = Parameters<LookupFunction>[2];

/** What a lookup asks. The defaults are those of the machine. */
export interface LookupSources {
  /** The text of the hosts file; empty if there is none. It must not need a thread of libuv. */
  readonly hosts?: () => string;
  /** Sends queries over its own sockets, without a thread. */
  readonly resolver?: () => Pick<dns.promises.Resolver, 'resolve4' | 'resolve6'>;
  /** The system's resolver: it also knows search domains and names that no DNS server has. */
  readonly system?: LookupFunction;
}

/** Two attempts, of one second and two: then the name servers are considered silent. */
const QUERY = { timeout: 1_000, tries: 2 };

/**
 * A resolver for connections, to share by all of them: a name whose resolver hangs holds up no other name.
 *
 * libuv runs the system's lookups and all file access on four threads, of which lookups get two, and a lookup that hangs keeps
 * its thread even if its caller has given up (libuv, "Thread pool work scheduling"). So the hosts file and the name servers are asked
 * without a thread. Only a name that neither of them knows goes to the system, one at a time: the other thread stays free for those
 * who need it. Callers that ask for the same name at the same time share one lookup.
 */
export function hostLookup(sources: LookupSources = {}): LookupFunction {
  const {
    hosts = hostsFile,
    resolver = () => new dns.promises.Resolver(QUERY),
    system = dns.lookup as LookupFunction,
  } = sources;
  const flights = new Map<string, Promise<LookupAddress[]>>();
  let lastOfSystem: Promise<unknown> = Promise.resolve();

  const find = async (hostname: string): Promise<LookupAddress[]> => {
    const listed = addressesIn(hosts(), hostname);
    if (listed.length > 0) return listed;
    const answered = await queried(resolver(), hostname);
    if (Array.isArray(answered)) return answered;
    if (answered.code === dns.TIMEOUT) throw answered;
    const asked = lastOfSystem.then(() => fromSystem(system, hostname));
    lastOfSystem = asked.catch(() => undefined);
    return asked;
  };
  const shared = (hostname: string) => {
    const flight = flights.get(hostname) ?? find(hostname).finally(() => flights.delete(hostname));
    flights.set(hostname, flight);
    return flight;
  };
  return (hostname, { family, all }, done) => {
    shared(hostname).then(
      (found) => answer(found.filter(isOf(family)), all === true, hostname, done),
      (error: NodeJS.ErrnoException) => done(error, []),
    );
  };
}

function isOf(family: string | number | undefined): (address: LookupAddress) => boolean {
  const wanted = { 4: 4, 6: 6, IPv4: 4, IPv6: 6 }[family ?? 0];
  return (address) => wanted === undefined || address.family === wanted;
}

function answer(found: LookupAddress[], all: boolean, hostname: string, done: Done): void {
  const [first] = found;
  if (!first) {
    const error = new Error(`${hostname} has no address of this kind.`);
    done(Object.assign(error, { code: dns.NOTFOUND }), []);
  } else if (all) done(null, found);
  else done(null, first.address, first.family);
}

/** @returns the addresses, IPv4 first because many networks have no route for IPv6; or why there are none */
async function queried(
  resolver: Pick<dns.promises.Resolver, 'resolve4' | 'resolve6'>,
  hostname: string,
): Promise<LookupAddress[] | NodeJS.ErrnoException> {
  const asked = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)]);
  const found = asked.flatMap((each, index) =>
    each.status === 'fulfilled'
      ? each.value.map((address) => ({ address, family: index === 0 ? 4 : 6 }))
      : [],
  );
  if (found.length > 0) return found;
  const errors = asked.map((each) => (each.status === 'rejected' ? each.reason : {}));
  return errors.find(({ code }) => code === dns.TIMEOUT) ?? errors[0];
}

function fromSystem(system: LookupFunction, hostname: string): Promise<LookupAddress[]> {
  return new Promise((resolve, reject) => {
    system(hostname, { all: true }, (error, found, family = 4) => {
      if (error) return reject(error);
      resolve(typeof found === 'string' ? [{ address: found, family }] : found);
    });
  });
}

/** The addresses that a hosts file has for a name (hosts(5)). */
function addressesIn(hosts: string, hostname: string): LookupAddress[] {
  const wanted = hostname.toLowerCase();
  return hosts.split('\n').flatMap((line) => {
    const [address = '', ...names] = line.replace(/#.*/, '').trim().toLowerCase().split(/\s+/);
    const family = isIP(address);
    return family !== 0 && names.includes(wanted) ? [{ address, family }] : [];
  });
}

const HOSTS_FILE = process.platform === 'win32' ? 'C:\\Windows\\System32\\drivers\\etc\\hosts' : '/etc/hosts';

/** Read at each lookup, because it may change, and synchronously, because anything else needs a thread. */
function hostsFile(): string {
  try {
    return readFileSync(HOSTS_FILE, 'utf8');
  } catch {
    return '';
  }
}
