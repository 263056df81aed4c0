import { Argument, Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { providers } from '../lib/oauth/providers/index.ts';
import type { Cli, CommonOptions } from './cli.ts';
import { SHELLS, type Shell } from './commands/completion.ts';
import { EXIT } from './exitCodes.ts';
import { createTerminal } from './terminal.ts';

/** What the process gives to a command. */
export interface Surroundings {
  /** What the person typed, without the name of the program. */
  readonly args: readonly string[];
  readonly env: Record<string, string | undefined>;
  readonly interrupted: AbortSignal;
}

const USAGE_FIX = 'Run rotator --help, or rotator COMMAND --help.';

type Run = (cli: Cli, args: readonly (string | undefined)[], options: never) => Promise<number>;

/** All commands with their options. The code of a command is loaded when it runs: help and completion come at once. */
export function createProgram(surroundings: Surroundings, ended: (exitCode: number) => void): Command {
  const program = new Command('rotator')
    .description('Looks after the connections of the Key Vault token rotator.')
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError(USAGE_FIX)
    .configureOutput(wantsJson(surroundings) ? { writeErr: () => {} } : {})
    .exitOverride();
  for (const option of commonOptions()) program.addOption(option);
  const add = (spec: string, description: string, run: Run) => {
    const command = program.command(spec).description(description).exitOverride();
    command.action(async (...received) => {
      const options = command.optsWithGlobals<CommonOptions>();
      const terminal = createTerminal({ json: options.json ?? false, verbose: options.verbose ?? false });
      const cli = { options, terminal, ...surroundings };
      ended(await answering(cli, () => run(cli, received.slice(0, -2) as string[], options as never)));
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
    new Option('--json', 'print one JSON document, errors too'),
    new Option('--verbose', 'print the log to stderr'),
    new Option('--local', 'work with the local stack that npm start runs'),
    new Option('--stack <file>', 'the same with another state file than .local/stack.json'),
    new Option('--credential-vault <url>', 'instead of CREDENTIAL_VAULT_URL'),
    new Option('--token-vault <url>', 'instead of TOKEN_VAULT_URL'),
    new Option('--storage-account <name>', 'instead of AzureWebJobsStorage__accountName'),
    new Option('--connections <file>', 'instead of CONNECTIONS: a file or the https address of a blob'),
  ];
}

function addWatching(add: Add): void {
  add(
    'status [name]',
    'show state, times and troubles of one or all connections',
    async (cli, [name], options) => (await import('./commands/status.ts')).status(cli, name, options),
  ).option('--watch', 'show it again every two seconds until Ctrl-C');
  add('rotate [name]', 'rotate one connection, or all that are due', async (cli, [name], options) =>
    (await import('./commands/rotate.ts')).rotate(cli, name, options),
  )
    .option('--force', 'although it is not due or needs a person')
    .option('--due', 'all connections that are due')
    .option('--via <url>', 'through the deployed functions; the key comes from ROTATOR_FUNCTION_KEY');
  add('plan', 'tell what the next sweep would do, and why', async (cli) =>
    (await import('./commands/plan.ts')).plan(cli),
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
    'sign in and store the first refresh token, or the next one after it died',
    async (cli, [name = ''], options) => (await import('./commands/connect.ts')).connect(cli, name, options),
  )
    .option('--device', 'sign in on another device by a code (RFC 8628)')
    .option('--issuer <url>', 'the authorization server, whose metadata names the endpoints')
    .option('--authorization-endpoint <url>', 'where there is no metadata')
    .option('--device-endpoint <url>', 'where there is no metadata')
    .option('--parameter <name=value...>', 'more parameters of the authorization request')
    .option('--redirect-uri <url>', 'http on this machine, as registered at the provider')
    .option('--no-browser', 'only print the address')
    .addOption(
      new Option('--timeout <seconds>', 'how long to wait for the browser').default('300').argParser(seconds),
    );
  const imports = add(
    'import <name> [file]',
    'take over a connection string, an odbc.ini section, a JDBC URL or token JSON, from a file or stdin',
    async (cli, [name = '', file], options) =>
      (await import('./commands/import.ts')).importText(cli, name, file, options),
  ).option('--section <name>', 'of an odbc.ini with several data sources');
  for (const command of [connect, imports])
    for (const option of beginningOptions()) command.addOption(option);
  add(
    'render <name>',
    "show the consumer's connection string, its secrets masked",
    async (cli, [name = ''], options) => (await import('./commands/render.ts')).render(cli, name, options),
  )
    .addOption(
      new Option('--form <form>', "which of the driver's strings").choices(['accessToken', 'refreshToken']),
    )
    .option('--reveal', 'with the secrets');
}

function addRepairing(add: Add, program: Command): void {
  add(
    'doctor [name]',
    'check settings, rights, secrets and providers without spending a token',
    async (cli, [name]) => (await import('./commands/doctor.ts')).doctor(cli, name),
  );
  add(
    'takeover <name>',
    'take a connection over from a rotator with other records',
    async (cli, [name = ''], options) =>
      (await import('./commands/takeover.ts')).takeover(cli, name, options),
  ).option('--yes', 'the other rotator is stopped: do not ask');
  add('completion', 'print the completion script of a shell', async (_cli, [shell]) =>
    (await import('./commands/completion.ts')).completion(shell as Shell, program),
  ).addArgument(new Argument('<shell>', 'the shell').choices(SHELLS));
}

/** What describes a new connection and its client. */
function beginningOptions(): Option[] {
  return [
    new Option('--provider <id>', 'the provider profile of a new connection').choices(Object.keys(providers)),
    new Option('--token-uri <url>', 'the token endpoint'),
    new Option('--tenant <tenant>', 'the directory (tenant), for providers that have tenants'),
    new Option('--service-url <url>', 'the service that the token is for'),
    new Option('--scope <scopes>', 'the scopes to ask for, separated by spaces'),
    new Option('--client-authentication <method>', 'how the client proves its identity').choices([
      'client_secret_basic',
      'client_secret_post',
    ]),
    new Option(
      '--refresh-token-grace <seconds>',
      'how long a used refresh token stays usable, or unlimited',
    ).argParser(grace),
    new Option('--client-id <id>', 'the client id'),
    new Option('--client-secret-stdin', 'read the client secret from stdin; or set ROTATOR_CLIENT_SECRET'),
    new Option('--replace', 'write over secrets that somebody else made'),
  ];
}

function seconds(text: string): string {
  if (/^[1-9]\d{0,4}$/.test(text)) return text;
  throw new InvalidArgumentError('Give a whole number of seconds from 1 to 99999.');
}

function grace(text: string): string {
  if (/^(unlimited|\d{1,9}(\.\d{1,3})?)$/.test(text)) return text;
  throw new InvalidArgumentError('Give a number of seconds from 0, or unlimited.');
}

/** Whatever a command throws becomes a problem on the screen and an exit code. */
async function answering({ terminal, interrupted }: Cli, work: () => Promise<number>): Promise<number> {
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

/** Options are not read yet where the command line is wrong. */
function wantsJson({ args }: Surroundings): boolean {
  return args.includes('--json');
}

/**
 * What commander itself throws: help is no error, everything else is a wrong command line. For people it has told so itself.
 * @returns the exit code
 */
export function endUsage(thrown: unknown, surroundings: Surroundings): number {
  if (!(thrown instanceof CommanderError)) throw thrown;
  if (thrown.exitCode === 0) return EXIT.done;
  if (wantsJson(surroundings)) {
    const what =
      thrown.code === 'commander.help' ? 'no command is given' : thrown.message.replace(/^error: /, '');
    const message = `The command line is wrong: ${what.replaceAll('\n', ' ')}.`;
    createTerminal({ json: true, verbose: false }).problem({
      code: 'command_invalid',
      message,
      fix: USAGE_FIX,
    });
  }
  return EXIT.usage;
}
