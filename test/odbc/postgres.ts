import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';

/** The name under which Debian's odbc-postgresql registers psqlODBC. */
export const DRIVER = 'PostgreSQL Unicode';
const OWNER = 'rotator_test';

/** A separate PostgreSQL server that listens only on a socket in its folder. */
export interface Postgres {
  /** The folder of the socket: clients use it as the name of the server. */
  readonly socketFolder: string;
  /** Makes a user that must log in with this password. */
  addUser(name: string, password: string): void;
  close(): Promise<void>;
}

/** The programs that are missing on this machine; undefined if everything is there. */
export function missing(): string | undefined {
  if (!binaries()) return 'PostgreSQL';
  if (!existsSync('/etc/odbcinst.ini') || !readFileSync('/etc/odbcinst.ini', 'utf8').includes(`[${DRIVER}]`))
    return 'odbc-postgresql';
  const loads = spawnSync('python3', ['-c', 'import ctypes; ctypes.CDLL("libodbc.so.2")']);
  return loads.status === 0 ? undefined : 'python3 with unixODBC';
}

/** Starts a server. If this process is root, the server runs under the account `postgres`, because it refuses to run as root. */
export async function startPostgres(): Promise<Postgres> {
  const folder = mkdtempSync(join(tmpdir(), 'odbc-'));
  const remove = () => rmSync(folder, { recursive: true });
  try {
    return await started(folder, remove);
  } catch (thrown) {
    remove();
    throw thrown;
  }
}

async function started(folder: string, remove: () => void): Promise<Postgres> {
  const account = userInfo().uid === 0 ? accountOf('postgres') : undefined;
  const data = join(folder, 'data');
  const passwordFile = join(folder, 'owner');
  const ownerPassword = `owner-${process.pid}`;
  writeFileSync(passwordFile, ownerPassword);
  for (const path of [folder, passwordFile]) if (account) chownSync(path, account.uid, account.gid);
  const setUp = ['--auth=scram-sha-256', `--pwfile=${passwordFile}`, '--encoding=UTF8', '--no-sync'];
  run('initdb', ['-D', data, '-U', OWNER, '--locale=C.UTF-8', ...setUp], { ...account });
  const listen = ['-c', 'listen_addresses=', '-c', `unix_socket_directories=${folder}`, '-c', 'fsync=off'];
  const server = spawn(binary('postgres'), ['-D', data, ...listen], {
    ...account,
    stdio: 'pipe',
    cwd: folder,
  });
  const ended = once(server, 'exit');
  const ready = Promise.withResolvers<void>();
  server.stderr.on('data', (line) => String(line).includes('ready to accept connections') && ready.resolve());
  const early = ended.then(() => Promise.reject(new Error('PostgreSQL ended during its start.')));
  await Promise.race([ready.promise, early]);
  return {
    socketFolder: folder,
    addUser: (name, password) => {
      const sql = `CREATE ROLE ${name} LOGIN PASSWORD '${password.replaceAll("'", "''")}';`;
      const environment = { ...process.env, PGPASSWORD: ownerPassword };
      const options = ['-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', folder, '-U', OWNER, 'postgres'];
      run('psql', options, { input: sql, env: environment });
    },
    close: async () => {
      server.kill('SIGINT');
      await ended;
      remove();
    },
  };
}

function binaries(): string | undefined {
  return globSync('/usr/lib/postgresql/*/bin')
    .filter((folder) => existsSync(join(folder, 'postgres')))
    .at(-1);
}

function binary(name: string): string {
  return join(binaries() ?? '', name);
}

function run(name: string, args: readonly string[], options: object): void {
  const { status, stderr } = spawnSync(binary(name), args, { encoding: 'utf8', cwd: '/', ...options });
  if (status !== 0) throw new Error(`${name} failed: ${stderr}`);
}

function accountOf(name: string): { uid: number; gid: number } {
  const id = (option: string) => Number(spawnSync('id', [option, name], { encoding: 'utf8' }).stdout);
  return { uid: id('-u'), gid: id('-g') };
}
