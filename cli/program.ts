import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { providers } from '../lib/oauth/providers/index.ts';
import { CLIENT_AUTHENTICATION } from '../lib/rotation/core/connection.ts';
import packageFile from '../package.json' with { type: 'json' };
import type { Cli, CommonOptions } from './cli.ts';
import { SHELLS, type Shell } from './commands/completion.ts';
import { EXIT } from './exitCodes.ts';
import { createTerminal } from './terminal.ts';

/** What the process passes to a command. */
export interface Surroundings {
  /** What the user typed, without the name of the program. */
  readonly args: readonly string[];
  readonly env: Record<string, string | undefined>;
  readonly interrupted: AbortSignal;
}

const USAGE_FIX = 'Run rotator --help, or rotator COMMAND --help.';

type Run = (cli: Cli, args: readonly (string | undefined)[], options: never) => Promise<number>;

/** All commands with their options. The code of a command is loaded only when it runs, so help and completion are fast. */
export function createProgram(surroundings: Surroundings, ended: (exitCode: number) => void): Command {
  const program = new Command('rotator')
    .description('Manages the connections of the Key Vault Token Rotator.')
    .version(shownVersion(surroundings), '--version', 'print the version of this program')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError(USAGE_FIX)
    .configureOutput(wantsJson(surroundings) ? { writeErr: () => {} } : {})
    .exitOverride();
  for (const option of commonOptions())
    program.addOption(option.required ? option.argParser(filled) : option);
  const add = (spec: string, description: string, run: Run) => {
    const command = program.command(spec).description(description).exitOverride();
    command.action(async (...received) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const terminal = createTerminal({ json: options.json ?? false, verbose: options.verbose ?? false });
      const cli = { options, terminal, ...surroundings };
      ended(await exitCodeAfter(cli, () => run(cli, received.slice(0, -2) as string[], options as never)));
    });
    return command;
  };
  addWatching(add);
  addObtaining(add);
  addRepairing(add, program);
  return program;
}

type Add = (spec: string, description: string, run: Run) => Command;

function commonOptions(): Option[] {
  return [
    new Option('--json', 'print one JSON document, also for errors'),
    new Option('--verbose', 'print the log to stderr'),
    new Option('--local', 'use the local stack that npm start runs'),
    new Option('--stack <file>', 'like --local, with another state file than .local/stack.json'),
    new Option('--credential-vault <url>', 'use this vault instead of CREDENTIAL_VAULT_URL'),
    new Option('--token-vault <url>', 'use this vault instead of TOKEN_VAULT_URL'),
    new Option('--storage-account <name>', 'use this account instead of AzureWebJobsStorage__accountName'),
    new Option('--connections <file>', 'use this file or https blob URL instead of CONNECTIONS'),
  ];
}

function addWatching(add: Add): void {
  add(
    'status [name]',
    'show the state, times and problems of one or all connections',
    async (cli, [name], options) => (await import('./commands/status.ts')).status(cli, name, options),
  ).option('--watch', 'refresh every two seconds until Ctrl-C');
  add('rotate [name]', 'rotate one connection, or all that are due', async (cli, [name], options) =>
    (await import('./commands/rotate.ts')).rotate(cli, name, options),
  )
    .option('--force', 'rotate even if the connection is not due or is blocked')
    .option('--due', 'rotate all connections that are due')
    .option('--via <url>', 'call the deployed functions, with the key from ROTATOR_FUNCTION_KEY');
  add('plan [name]', 'show what the next sweep would do, and why', async (cli, [name]) =>
    (await import('./commands/plan.ts')).plan(cli, name),
  );
  add('history <name>', 'show the last 16 outcomes of a connection', async (cli, [name = '']) =>
    (await import('./commands/history.ts')).history(cli, name),
  );
  add('validate', 'check a connections file', async (cli, [file = '']) =>
    (await import('./commands/validate.ts')).validate(cli, file),
  ).addArgument(new Argument('<file>', 'path of the connections file'));
  add('export-schema', 'print the JSON Schema of the connections file', async () =>
    (await import('./commands/validate.ts')).exportSchema(),
  );
}

function addObtaining(add: Add): void {
  const connect = add(
    'connect <name>',
    'sign in and store the first refresh token, or a new one if the old one no longer works',
    async (cli, [name = ''], options) => (await import('./commands/connect.ts')).connect(cli, name, options),
  )
    .addOption(
      new Option(
        '--grant <grant>',
        'client_credentials: the client acts for itself, without a sign-in',
      ).choices(['refresh_token', 'client_credentials']),
    )
    .option('--device', 'sign in on another device with a code (RFC 8628)')
    .option('--issuer <url>', 'the authorization server, whose metadata names the endpoints')
    .option('--authorization-endpoint <url>', 'the authorization endpoint, if there is no metadata')
    .option('--device-endpoint <url>', 'the device authorization endpoint, if there is no metadata')
    .option('--parameter <name=value...>', 'additional parameters of the authorization request')
    .option('--redirect-uri <url>', 'an http URL on this machine, as registered at the provider')
    .option('--no-browser', 'print the address without opening a browser')
    .addOption(
      new Option(
        '--timeout <seconds>',
        'how long to wait for the sign-in: by default 300, with --device until the code expires',
      ).argParser(seconds),
    );
  const imports = add(
    'import <name> [file]',
    'import a connection string, an odbc.ini section, a JDBC URL or token JSON, from a file or stdin',
    async (cli, [name = '', file], options) =>
      (await import('./commands/import.ts')).importText(cli, name, file, options),
  ).option('--section <name>', 'the section of an odbc.ini with several data sources');
  for (const command of [connect, imports])
    for (const option of beginningOptions()) command.addOption(option);
  add(
    'render <name>',
    "show the consumer's connection string with masked secrets",
    async (cli, [name = ''], options) => (await import('./commands/render.ts')).render(cli, name, options),
  )
    .addOption(
      new Option('--form <form>', 'which token the string contains').choices(['accessToken', 'refreshToken']),
    )
    .option('--reveal', 'show the secrets');
}

function addRepairing(add: Add, program: Command): void {
  add(
    'doctor [name]',
    'check settings, permissions, secrets and providers without using a token',
    async (cli, [name]) => (await import('./commands/doctor.ts')).doctor(cli, name),
  );
  add(
    'takeover <name>',
    'take over a connection from a rotator with another record store',
    async (cli, [name = ''], options) =>
      (await import('./commands/takeover.ts')).takeover(cli, name, options),
  ).option('--yes', 'confirm that the other rotator is stopped, and do not ask');
  add(
    'remove [name]',
    'pause connections, and disable their refresh tokens and what is published',
    async (cli, [name], options) => (await import('./commands/remove.ts')).remove(cli, name, options),
  )
    .option('--provider <id>', 'all connections of this provider profile')
    .option('--all', 'all connections')
    .option('--revoke', 'have the providers revoke the refresh tokens (RFC 7009)')
    .option('--via <url>', 'call the deployed functions, with the master key in ROTATOR_FUNCTION_KEY')
    .option('--yes', 'do not ask');
  add('completion', 'print the completion script of a shell', async (_cli, [shell]) =>
    (await import('./commands/completion.ts')).completion(shell as Shell, program),
  ).addArgument(new Argument('<shell>', 'the shell').choices(SHELLS));
}

/** The options that describe a new connection and its client. */
function beginningOptions(): Option[] {
  return [
    new Option('--provider <id>', 'the provider profile of a new connection').choices(Object.keys(providers)),
    new Option('--token-uri <url>', 'the token endpoint'),
    new Option('--tenant <tenant>', 'the directory (tenant), for providers that have tenants'),
    new Option('--service-url <url>', 'the service that the token is for'),
    new Option('--scope <scopes>', 'the scopes to request, separated by spaces'),
    new Option('--client-authentication <method>', 'how the client authenticates').choices(
      CLIENT_AUTHENTICATION,
    ),
    new Option(
      '--refresh-token-grace <seconds>',
      'how long a used refresh token remains valid, or unlimited',
    ).argParser(grace),
    new Option('--client-id <id>', 'the client id'),
    new Option('--client-secret-stdin', 'read the client secret from stdin; or set ROTATOR_CLIENT_SECRET'),
    new Option('--replace', 'replace a connection that works, or secrets that the rotator does not manage'),
  ];
}

/** An option that is empty by mistake, such as "$UNSET", must not lead to another vault. */
function filled(text: string): string {
  if (text.trim() !== '') return text;
  throw new InvalidArgumentError('Enter a value.');
}

function seconds(text: string): string {
  if (/^[1-9]\d{0,4}$/.test(text)) return text;
  throw new InvalidArgumentError('Enter a whole number of seconds from 1 to 99999.');
}

function grace(text: string): string {
  if (/^(unlimited|\d{1,9}(\.\d{1,3})?)$/.test(text)) return text;
  throw new InvalidArgumentError('Enter a number of seconds from 0, or unlimited.');
}

/** Runs a command, and turns any error that it throws into a problem on the screen and an exit code. */
async function exitCodeAfter({ terminal, interrupted }: Cli, work: () => Promise<number>): Promise<number> {
  const { problemOf } = await import('../lib/errors.ts');
  const { exitCodeOf } = await import('./exitCodes.ts');
  try {
    const code = await work();
    return interrupted.aborted && code !== EXIT.done ? EXIT.interrupted : code;
  } catch (thrown) {
    const problem = problemOf(thrown);
    terminal.problem(problem);
    return interrupted.aborted ? EXIT.interrupted : exitCodeOf(problem.code);
  }
}

function shownVersion(surroundings: Surroundings): string {
  const { version } = packageFile;
  return wantsJson(surroundings) ? JSON.stringify({ version }) : version;
}

/** Looks at the raw arguments, because options are not parsed yet if the command line is invalid. */
function wantsJson({ args }: Surroundings): boolean {
  return args.includes('--json');
}

/**
 * Handles what commander itself throws: help is not an error, and everything else is an invalid command line. Without `--json`
 * commander has already printed the message.
 * @returns the exit code
 */
export function endUsage(thrown: unknown, surroundings: Surroundings): number {
  if (!(thrown instanceof CommanderError)) throw thrown;
  if (thrown.exitCode === 0) return EXIT.done;
  if (wantsJson(surroundings)) {
    const what =
      thrown.code === 'commander.help'
        ? 'the command is missing'
        : thrown.message.replace(/^error: |\.$/g, '');
    const message = `The command line is not valid: ${what.replaceAll('\n', ' ')}.`;
    createTerminal({ json: true, verbose: false }).problem({
      code: 'command_invalid',
      message,
      fix: USAGE_FIX,
    });
  }
  return EXIT.usage;
}
