import { readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Desk, startDesk } from '../cli/support.ts';
import { BrowserUser } from '../integration/authorization/support.ts';
import { localConnection } from '../support/localConnection.ts';
import { documentedCommands } from './documentedCommands.ts';
import { hasTerminals, type Shell, startShell } from './shell.ts';

/** A user who has just cloned the repository and does what docs/cli.md shows, on a stack of their own. */

const WINDOWS = [
  ['without a terminal', undefined],
  ['in a window of 40 columns', 40],
  ['in a window of 120 columns', 120],
] as const;
type Columns = (typeof WINDOWS)[number][1];

const CONFIGURED = 'dynamics-prod';
const CLIENT = localConnection('a-client');
const SERVICE_URL = 'https://contoso.api.crm.dynamics.com/api/data/v9.1/';

/** What the user does with a documented command. */
interface Step {
  /** Begins like the documented command; the longest one that fits counts. */
  readonly command: string;
  /** The exit codes that are right, without a terminal. Default 0. */
  readonly code?: number | readonly number[];
  /** The same on a terminal, if it differs. */
  readonly onTerminal?: number;
  /** The name to write instead of `dynamics-prod`, `demo` and `crm`: each window has its own. */
  readonly anew?: true;
  /** What the user does while it runs. */
  readonly meanwhile?: (shell: Shell, columns: Columns) => Promise<void>;
  /** It prints a table: no line is wider than the window. */
  readonly fits?: true;
  readonly reveals?: true;
}

const sayingYes = async (shell: Shell, columns: Columns) => {
  if (columns === undefined) return;
  await shell.seen(/Remove dynamics-prod\?/);
  shell.type('y');
};
const sayingNo = async (shell: Shell, columns: Columns) => {
  if (columns === undefined) return;
  // A narrow window breaks the question.
  await shell.seen(/Replace[\s\S]*credentials\?/);
  shell.type('n');
};
const signingIn = async (shell: Shell) => {
  await new BrowserUser().visit((await shell.seen(/http:\S+\/auth\?\S+/))[0]);
};
const enteringTheCode = async (shell: Shell) => {
  const [, address = '', code = ''] = await shell.seen(/Go to (\S+) on any device .* enter the code (\S+)/);
  await new BrowserUser().enter(address, code);
};
const pressingCtrlC = async (shell: Shell) => {
  await shell.seen(/NAME[\s\S]*NAME/);
  shell.interrupt();
};

/** In the order in which the user does them: those that stop a connection come last. */
const STEPS: readonly Step[] = [
  { command: 'status', fits: true },
  { command: 'status --watch', code: 130, meanwhile: pressingCtrlC, fits: true },
  { command: 'plan', fits: true },
  { command: 'history', fits: true },
  { command: 'doctor' },
  // Forced a few seconds ago in the window before.
  { command: 'rotate dynamics-prod --force', code: [0, 5] },
  { command: 'rotate' },
  { command: 'takeover' },
  { command: 'connect dynamics-prod', code: 7, meanwhile: sayingNo },
  { command: 'connect demo', anew: true, meanwhile: signingIn },
  // The connection has an entry, so the options that describe a new one are refused.
  { command: 'connect dynamics-prod --provider', code: 2 },
  { command: 'connect crm --issuer', anew: true, meanwhile: enteringTheCode },
  { command: 'import', anew: true },
  { command: 'render' },
  { command: 'render dynamics-prod --form accessToken --reveal', reveals: true },
  { command: 'validate' },
  { command: 'export-schema' },
  { command: 'completion' },
  { command: 'remove dynamics-prod', code: 2, onTerminal: 0, meanwhile: sayingYes, fits: true },
  { command: 'remove dynamics-prod --revoke', fits: true },
  // The stack has no connection of that provider, so it prints an error and no table.
  { command: 'remove --provider', code: 3 },
  // An imported entry names no revocation endpoint.
  { command: 'remove --all', code: 4, fits: true },
];

const documented = documentedCommands(readFileSync(new URL('../../docs/cli.md', import.meta.url), 'utf8'));
const stepOf = (text: string) =>
  STEPS.filter(({ command }) => `${commandIn(text)} `.startsWith(`${command} `))
    .toSorted((one, other) => other.command.length - one.command.length)
    .at(0);

/** Without what comes before it in the shell, and without the options that are the same for all commands. */
function commandIn(text: string): string {
  return text.replace(/^.*?\brotator /, '').replace(/ --local\b/, '');
}

let desk: Desk;
let home: string;

beforeAll(async () => {
  home = await mkdtemp(join(tmpdir(), 'newcomer-'));
  desk = await startDesk([localConnection(CONFIGURED), CLIENT], undefined, 3600);
  const { tokenEndpoint: tokenUri } = desk.stack.servers.authorization;
  const entry = { tokenUri, revocationUri: `${tokenUri}/revocation`, serviceUrl: SERVICE_URL };
  const connections = JSON.stringify({ connections: { [CONFIGURED]: entry } });
  await writeFile(desk.stack.data.file('connections.json'), connections);
  await writeFile(join(home, 'connections.json'), connections);
  const ended = await desk.rotator(['rotate', CONFIGURED]).ended;
  expect(ended, ended.stderr).toMatchObject({ code: 0 });
});

afterAll(async () => {
  await desk?.close();
  await rm(home, { recursive: true, force: true });
});

const secretOf = (client: string) =>
  desk.stack.servers.clients.find(({ clientId }) => clientId === client)?.clientSecret ?? '';

/** The files that the examples read, with a refresh token that was never used. */
async function writeInputs(): Promise<void> {
  const { authorization } = desk.stack.servers;
  const refreshToken = await authorization.seedRefreshToken(CLIENT.name);
  const all = {
    DRIVER: 'DataDirect 8.0 Microsoft Dynamics 365',
    ServiceURL: SERVICE_URL,
    ClientID: CLIENT.name,
    ClientSecret: secretOf(CLIENT.name),
    TokenURI: authorization.tokenEndpoint,
    RefreshToken: refreshToken,
  };
  const attributes = Object.entries(all).map(([name, value]) => `${name}=${value}`);
  await writeFile(join(home, 'connection-string.txt'), `${attributes.join(';')};\n`);
  await writeFile(join(home, '.odbc.ini'), ['[Dynamics CRM]', ...attributes, ''].join('\n'));
  await writeFile(join(home, 'token.json'), JSON.stringify({ refresh_token: refreshToken }));
}

/** The documented text with what is different on this machine: addresses, the client and, if asked for, new names. */
function adapted(text: string, suffix: string | undefined): string {
  const { host, servers } = desk.stack;
  const { issuer, tokenEndpoint } = servers.authorization;
  const named =
    suffix === undefined
      ? text
      : text.replace(/(connect|import) (dynamics-prod|demo|crm)\b/, `$1 $2-${suffix}`);
  return named
    .replace(/ --local\b/, '')
    .replace('https://my-rotator.azurewebsites.net', host.url)
    .replace('https://login.example.com/token', tokenEndpoint)
    .replace('https://login.example.com', issuer)
    .replace('my-client', CLIENT.name)
    .replace(/ --device\b/, ' --device --client-id rotator-cli');
}

/** For the examples in which the user is asked for a client secret. */
function clientSecretFor(text: string): Record<string, string> {
  const client = text.includes('--device')
    ? 'rotator-cli'
    : text.includes('token.json')
      ? CLIENT.name
      : undefined;
  return client === undefined ? {} : { ROTATOR_CLIENT_SECRET: secretOf(client) };
}

describe('docs/cli.md', () => {
  test('shows no command that the newcomer does not try, and the newcomer tries no other', () => {
    const missing = documented.filter((text) => stepOf(text) === undefined);
    expect(missing).toEqual([]);
    const used = new Set(documented.map(stepOf));
    expect(STEPS.filter((step) => !used.has(step))).toEqual([]);
  });
});

/** Each example without a terminal; in the windows the first example of each step, because the others print the same. */
const TRIALS = STEPS.flatMap((step) =>
  documented.filter((text) => stepOf(text) === step).map((text, at) => ({ text, at })),
)
  .flatMap(({ text, at }) =>
    (at === 0 ? WINDOWS : WINDOWS.slice(0, 1)).map(([where, columns]) => ({ text, where, columns })),
  )
  .map((trial, index) => ({ ...trial, suffix: String(index) }));

describe('a newcomer', { timeout: 120_000 }, () => {
  test('ends a command with Ctrl-C at its question', async ({ skip }) => {
    skip(!hasTerminals(), 'This machine has no script of util-linux.');
    const options = { stateFile: desk.stateFile, home, columns: 80, env: {} };
    const shell = startShell('rotator remove dynamics-prod', options);
    await shell.seen(/Remove dynamics-prod\?/);
    shell.interrupt();
    const { code, output } = await shell.ended;
    expect(code).toBe(130);
    expect(output).toContain('interrupted: The command was interrupted.');
  });

  test.for(TRIALS)('does $text $where', async ({ text, columns, suffix }, { skip }) => {
    skip(columns !== undefined && !hasTerminals(), 'This machine has no script of util-linux.');
    const { code = 0, onTerminal = code, anew, meanwhile, fits, reveals } = stepOf(text) ?? expect.fail(text);
    await writeInputs();
    const shell = startShell(adapted(text, anew && suffix), {
      stateFile: desk.stateFile,
      home,
      columns,
      env: clientSecretFor(text),
    });
    await meanwhile?.(shell, columns);
    const { code: ended, output } = await shell.ended;
    expect([columns === undefined ? code : onTerminal].flat(), output).toContain(ended ?? -1);
    expect(output).not.toMatch(/undefined|NaN|\[object/);
    if (!reveals) for (const secret of desk.secrets()) expect(output.includes(secret)).toBe(false);
    if (columns === undefined) expect(output).not.toContain('\u001b');
    if (!fits || columns === undefined || text.includes('--json')) return;
    // What a line shows after the last return is what stays on the screen. A single long word is never broken. The terminal itself shows
    // ^C for an interrupt, wherever the command was in its line.
    const lines = stripVTControlCharacters(output).replaceAll('^C', '').split('\n');
    for (const line of lines
      .map((each) => each.split('\r').at(-1) ?? '')
      .filter((each) => each.trim().includes(' ')))
      expect.soft(line.length, line).toBeLessThanOrEqual(columns);
  });
});
