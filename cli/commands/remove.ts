import { RotatorError } from '../../lib/errors.ts';
import type { Removal } from '../../lib/rotation/removal.ts';
import { type Choice, createRotator, removalDocument } from '../../lib/rotator.ts';
import { type Cli, connect, ensureNotInterrupted, orVia } from '../cli.ts';
import { EXIT, exitCodeOf } from '../exitCodes.ts';
import { askConsent } from '../prompts.ts';
import { table, wrap } from '../table.ts';
import { type Terminal, utcTime } from '../terminal.ts';
import { removeVia } from '../viaHttp.ts';

/** Options of `rotator remove`. */
export interface RemoveOptions {
  readonly provider?: string;
  readonly all?: true;
  readonly revoke?: true;
  readonly yes?: true;
  readonly via?: string;
}

type Work = {
  /** The names of the connections, if they are known here. */
  readonly names: readonly string[] | undefined;
  readonly remove: () => Promise<readonly Removal[]>;
};

/** `rotator remove NAME | --provider ID | --all [--revoke] [--via URL] [--yes]` */
export async function remove(cli: Cli, name: string | undefined, options: RemoveOptions): Promise<number> {
  const { terminal } = cli;
  const choice = choiceOf(name, options);
  const revoke = options.revoke === true;
  const { names, remove: work } = await prepare(cli, choice, revoke, options.via);
  if (names?.length === 0) {
    terminal.result({ removals: [] }, ['There are no such connections.']);
    return EXIT.done;
  }
  if (!options.yes) await confirm(terminal, names ?? [], choice, revoke);
  ensureNotInterrupted(cli);
  const removals = await terminal.working('Removing', work);
  terminal.result({ removals: removals.map(removalDocument) }, linesOf(removals, revoke, cli));
  const [problem] = removals.flatMap(({ problems }) => problems);
  return problem ? exitCodeOf(problem.code) : EXIT.done;
}

function choiceOf(name: string | undefined, { provider, all }: RemoveOptions): Choice {
  const choices: Choice[] = [
    ...(name === undefined ? [] : [{ name }]),
    ...(provider === undefined ? [] : [{ provider }]),
    ...(all ? [{ all }] : []),
  ];
  const [choice] = choices;
  if (choice && choices.length === 1) return choice;
  throw new RotatorError({
    code: 'command_invalid',
    message: 'remove takes either the name of a connection, or --provider, or --all.',
    fix: 'Run rotator remove --help.',
  });
}

async function prepare(cli: Cli, choice: Choice, revoke: boolean, via: string | undefined): Promise<Work> {
  if (via !== undefined) return { names: undefined, remove: () => removeVia(via, choice, revoke, cli) };
  const parts = await connect(cli);
  const rotator = createRotator(parts.ports, Date.now);
  // After Ctrl-C the removals that have begun are completed, and no others begin.
  cli.interrupted.addEventListener('abort', () => void rotator.drain(), { once: true });
  const chosen = await rotator.chosen(choice).catch((thrown: unknown) => {
    throw orVia(thrown, parts);
  });
  const names = [...chosen.valid, ...chosen.invalid].map(({ name }) => name);
  return { names, remove: () => rotator.remove(choice, revoke) };
}

async function confirm(
  terminal: Terminal,
  names: readonly string[],
  choice: Choice,
  revoke: boolean,
): Promise<void> {
  const [only] = 'name' in choice ? [choice.name] : names.length === 1 ? names : [];
  const which =
    only ??
    `${names.length === 0 ? 'all connections' : `${names.length} connections`}${'provider' in choice ? ` of ${choice.provider}` : ''}`;
  const whose = only === undefined ? 'their refresh tokens' : 'its refresh token';
  const how = revoke ? 'revokes and disables' : 'disables';
  const consequences = `The command pauses ${which}, ${how} ${whose}, and disables what is published. Consumers get no more tokens until an account owner signs in again.`;
  terminal.hint(wrap(consequences, terminal.window.columns, 0).join('\n'));
  if (names.length > 1) terminal.hint(wrap(names.join(', '), terminal.window.columns).join('\n'));
  if (await askConsent(terminal, `Remove ${which}?`)) return;
  throw new RotatorError({
    code: 'command_invalid',
    message: 'The removal was not confirmed. The command changed nothing.',
    fix: 'Run the command again with --yes.',
  });
}

function linesOf(removals: readonly Removal[], revoke: boolean, { terminal, options }: Cli): string[] {
  const { columns } = terminal.window;
  const rows = removals.map((each) => [
    each.connection,
    each.provider,
    each.problems.length === 0 ? terminal.paint('green', 'removed') : terminal.paint('red', 'incomplete'),
    each.revoked ? 'yes' : 'no',
    String(each.disabled),
    each.accessTokenExpiresAt === undefined ? '-' : utcTime(each.accessTokenExpiresAt),
  ]);
  const headings = ['NAME', 'PROVIDER', 'STATE', 'REVOKED', 'DISABLED VERSIONS', 'COPIED TOKENS VALID UNTIL'];
  const problems = removals.flatMap(({ connection, problems }) =>
    problems.flatMap(({ code, message, fix }) => ['', `${connection}: ${code}: ${message}`, `  ${fix}`]),
  );
  const tried = removals.filter(({ problems }) =>
    problems.every(({ code }) => code !== 'connection_invalid'),
  );
  const sentences = [...problems, '', ...leftToDo(tried, revoke, options.local ? ' --local' : '')];
  return [...table([headings, ...rows], columns), ...sentences.flatMap((each) => wrap(each, columns))];
}

/** What no command can do. */
function leftToDo(removals: readonly Removal[], revoke: boolean, option: string): string[] {
  const isLeft = !revoke && removals.some(({ revoked }) => !revoked);
  const hint = isLeft ? ['- Run the command again with --revoke if a refresh token may have leaked.'] : [];
  return [
    'Left to do:',
    ...hint,
    '- Replace the client secrets at the provider if they may have leaked as well.',
    '- Sign in again for each connection that is still needed, and delete the entries of the others:',
    ...removals.map(({ connection }) => `  rotator connect ${connection}${option}`),
  ];
}
