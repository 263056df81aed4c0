import { problemOf } from '../lib/errors.ts';
import { connectionsFile, type LocalConnection, revocationOf } from './connections.ts';
import type { DataDirectory } from './dataDirectory.ts';

const FILE = 'connections.json';
/** A token endpoint of an earlier start, with another port. */
const LOCAL_ENDPOINT = /^http:\/\/127\.0\.0\.1:\d+\//;

type Entries = Record<string, Readonly<Record<string, unknown>>>;
interface File {
  readonly connections: Readonly<Entries>;
}

/**
 * Writes the connections file: the current entries of the local stack, and the entries that a user added.
 * @returns its path
 * @throws Error with a message for users if the existing file cannot be read; the file stays unchanged
 */
export async function writeConnections(
  data: DataDirectory,
  connections: readonly LocalConnection[],
  tokenUri: string,
): Promise<string> {
  const kept = await parse(await data.read(FILE), data.file(FILE));
  const own = (connectionsFile(connections, tokenUri) as File).connections;
  const entries = moved(kept.connections, own, tokenUri);
  for (const [name, entry] of Object.entries(own)) entries[name] = { ...entries[name], ...entry };
  const next = { ...kept, connections: entries };
  return data.write(FILE, `${JSON.stringify(next, null, 2)}\n`);
}

/** The names of all connections in the file that {@link writeConnections} has written, those that a user added last. */
export async function connectionsIn(data: Pick<DataDirectory, 'read'>): Promise<string[]> {
  return Object.keys((JSON.parse((await data.read(FILE)) ?? '{"connections":{}}') as File).connections);
}

/** Moves entries that use the authorization server of the last start, which our own entries name, to the new one. */
function moved(kept: Entries, own: Entries, tokenUri: string): Entries {
  const former = Object.keys(own).map((name) => kept[name]?.tokenUri);
  const isFormer = (each: unknown) => LOCAL_ENDPOINT.test(String(each)) && former.includes(each);
  const entries = Object.entries(kept).map(([name, entry]) => [
    name,
    isFormer(entry?.tokenUri)
      ? {
          ...entry,
          tokenUri,
          ...(entry?.revocationUri !== undefined && { revocationUri: revocationOf(tokenUri) }),
        }
      : entry,
  ]);
  return Object.fromEntries(entries);
}

async function parse(text: string | undefined, path: string): Promise<File> {
  if (text === undefined) return { connections: {} };
  try {
    // Only here: without a kept file, `npm start` does not wait for these modules.
    const { parseConnections } = await import('../lib/config/parseConnections.ts');
    const anyVault = 'https://vault.invalid';
    parseConnections(text, {
      credentialVaultUrl: anyVault,
      tokenVaultUrl: anyVault,
      allowLoopbackHttp: true,
    });
    return JSON.parse(text.replace(/^\uFEFF/, '')) as File;
  } catch (thrown) {
    const { message, fix } = problemOf(thrown);
    throw new Error(`Cannot read ${path}; the file is unchanged. ${message} ${fix}`);
  }
}
