import { styleText } from 'node:util';
import { LOCAL_STACK_WARNING } from '../cli/localStack.ts';
import type { LogEvent } from '../lib/log.ts';
import type { RotationResult } from '../lib/rotation/core/outcome.ts';
import { API_VERSION } from './callVault.ts';
import { LOCAL_CONNECTIONS } from './connections.ts';
import { repairFile } from './seed.ts';
import { headerFile, type Servers } from './servers.ts';
import type { Stack } from './stack.ts';

const NAME_WIDTH = 18;

interface Event extends Readonly<Record<string, unknown>> {
  readonly event?: LogEvent;
  readonly result?: RotationResult['result'];
}

/** The parts of a stack that the instructions show. */
interface Described extends Pick<Stack, 'isFoundLocally'> {
  readonly host: Pick<Stack['host'], 'url'>;
  readonly data: Pick<Stack['data'], 'file'>;
  readonly servers: {
    readonly tokenVault: Pick<Servers['tokenVault'], 'url'>;
    readonly credentialVault: Pick<Servers['credentialVault'], 'url'>;
  };
}

/** Describes a connection from an earlier start with the same data. */
const ADDED = 'added by you';

const FOUND_LOCALLY = `Sign in for another connection, as an operator does:
  npx rotator connect demo --local`;
const NOT_FOUND_LOCALLY =
  'Another local stack runs: `npx rotator ... --local` uses that one until it ends, not this one.';

/**
 * What a user can do while the stack runs, as lines to copy.
 * @param names of all its connections
 */
export function instructions(
  { host, servers, data, isFoundLocally }: Described,
  names: readonly string[],
): string {
  const described = new Map(LOCAL_CONNECTIONS.map(({ name, description }) => [name, description]));
  const wrong = LOCAL_CONNECTIONS.find(({ wrongSecret }) => wrongSecret)?.name ?? '';
  const header = (who: Parameters<typeof headerFile>[0]) =>
    `--header ${quoted(`@${data.file(headerFile(who))}`)}`;
  const secret = (vault: { url: string }, name: string) =>
    `"${vault.url}/secrets/${name}?api-version=${API_VERSION}"`;
  return `
The rotator runs. Connections:
${names.map((name) => `  ${name.padEnd(NAME_WIDTH)} ${described.get(name) ?? ADDED}`).join('\n')}

Rotate one now:
  curl -X POST "${host.url}/api/connections/demo-single-use/rotate?force=true"
Show the status of all connections:
  curl ${host.url}/api/connections
Read an access token, as a consumer does:
  curl ${header('consumer')} ${secret(servers.tokenVault, 'demo-single-use-access-token')}
Fix the client secret of ${wrong} (the rotator detects it within five minutes, or immediately with force):
  curl -X PUT ${header('operator')} --header "Content-Type: application/json" --data ${quoted(`@${data.file(repairFile(wrong))}`)} ${secret(servers.credentialVault, `${wrong}-client-secret`)}
  curl -X POST "${host.url}/api/connections/${wrong}/rotate?force=true"

${isFoundLocally ? FOUND_LOCALLY : NOT_FOUND_LOCALLY}

${LOCAL_STACK_WARNING}

Press Ctrl-C to stop everything. Each line below is a rotation:
`;
}

/** In double quotes, which every shell knows; in single ones if a POSIX shell would otherwise change the text. */
function quoted(text: string): string {
  if (process.platform === 'win32' || !/["$`\\]/.test(text)) return `"${text}"`;
  return `'${text.replaceAll("'", "'\\''")}'`;
}

/** One line of the functions' output for the screen; undefined if a user does not need to see it. */
export function screenLine(line: string): string | undefined {
  const event = parse(line);
  if (!event) return line.startsWith('Functions listening on') ? undefined : line;
  const text = describe(event);
  return text && `${coloured('dim', localTime(event.time))}  ${text}`;
}

/** Only on a terminal, and not with NO_COLOR. */
function coloured(colour: 'dim' | 'green' | 'yellow' | 'red', text: string): string {
  return styleText(colour, text, { stream: process.stdout });
}

/** The time of the day in the time zone of this machine, `HH:MM:SS`. */
function localTime(time: unknown): string {
  const date = new Date(String(time));
  return Number.isNaN(date.getTime()) ? '--:--:--' : date.toTimeString().slice(0, 8);
}

/** What a line about the connections file begins with, in place of the name of a connection. */
const FILE = 'connections.json';

function describe({ event, level, connection, ...more }: Event): string | undefined {
  const name = String(connection ?? '').padEnd(NAME_WIDTH);
  if (event === 'rotation_finished' && more.result === 'rotated') {
    const until = localTime(more.expires);
    return `${name} ${coloured('green', 'rotated')} (${more.reason}): generation ${more.generation}, token valid until ${until}, ${more.totalMs} ms`;
  }
  if (event === 'rotation_finished' && typeof more.message === 'string') {
    const colour = more.result === 'blocked' ? 'red' : 'yellow';
    return `${name} ${coloured(colour, String(more.result))}: ${more.message} ${more.fix}`;
  }
  if (event === 'configuration_loaded') return loaded(more);
  if (event === 'configuration_invalid') return `${FILE.padEnd(NAME_WIDTH)} ${more.message} ${more.fix}`;
  if (event === 'connection_changed') return `${name} ${String(more.change).replaceAll('_', ' ')}`;
  if (
    event === 'client_secret_rejected' ||
    event === 'token_response_received' ||
    event === 'rotation_finished' ||
    // An unreadable file is reported once, not with each sweep.
    event === 'sweep_finished'
  )
    return undefined;
  if (level === 'info') return undefined;
  const { message, fix, time: _time, ...fields } = more;
  const rest = Object.entries(fields).map(([field, value]) => `${field} ${value}`);
  const colour = level === 'error' ? 'red' : 'yellow';
  return `${name} ${coloured(colour, String(event))}: ${message ?? rest.join(', ')} ${fix ?? ''}`.trimEnd();
}

/** The first load of a process is not news. */
function loaded({ changed, unreadableSince, valid, paused, invalid }: Event): string | undefined {
  if (changed === undefined) return undefined;
  const what = unreadableSince === undefined ? 'read again' : 'readable again';
  const notActive = `${Number(paused) > 0 ? `, ${paused} of them paused` : ''}${Number(invalid) > 0 ? `, ${invalid} not valid` : ''}`;
  return `${FILE.padEnd(NAME_WIDTH)} ${what}: ${valid} ${valid === 1 ? 'connection' : 'connections'}${notActive}`;
}

function parse(line: string): Event | undefined {
  if (!line.startsWith('{')) return undefined;
  try {
    return JSON.parse(line) as Event;
  } catch {
    return undefined;
  }
}
