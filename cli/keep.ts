import { firstRotation } from '../lib/authorization/firstRotation.ts';
import {
  alreadyWorks,
  type FirstCredentials,
  notOurs,
  stateOfWorking,
  storeConnection,
  whatIsInTheWay,
} from '../lib/authorization/storeConnection.ts';
import type { ErrorCode } from '../lib/errors.ts';
import type { Connection } from '../lib/rotation/core/connection.ts';
import type { RotationResult } from '../lib/rotation/core/outcome.ts';
import type { Cli, Connected } from './cli.ts';
import { documentOf, resultLines } from './commands/rotate.ts';
import type { Entry } from './connection.ts';
import { appendEntry } from './connectionsFile.ts';
import { exitCodeOfResult } from './exitCodes.ts';
import { LOCAL_STACK_WARNING } from './localStack.ts';
import { askConsent } from './prompts.ts';

/** The option that allows the command to replace the credentials of a connection that works, and secrets of others. */
export interface KeepOptions {
  readonly replace?: true;
}

/** A connection with everything that its first rotation needs. */
export interface Beginning extends FirstCredentials {
  readonly connection: Connection;
  /** The entry to add to the connections file; undefined if the file already has it. */
  readonly entry: Entry | undefined;
  readonly replace: boolean;
}

/** Warns of production credentials in the local stack, before the user signs in. */
export function warnOfLocalStack({ terminal }: Cli, { stack }: Pick<Connected, 'stack'>): void {
  if (stack) terminal.hint(LOCAL_STACK_WARNING);
}

/**
 * Asks, before any token is used, whether the command may replace the credentials of a connection that works, or overwrite secrets
 * that the rotator did not create for the connection.
 * @returns whether the command may overwrite secrets of others
 * @throws RotatorError `connection_works`, `secret_not_managed` if the user does not consent, `refresh_token_old`
 */
export async function confirmReplacing(
  { terminal }: Cli,
  { ports }: Connected,
  connection: Connection,
  known: Partial<FirstCredentials>,
  { replace }: KeepOptions,
): Promise<boolean> {
  const { foreign, works } = await whatIsInTheWay(connection, ports, known);
  if (replace) return true;
  if (works) {
    const question = `${stateOfWorking(connection.name, works)} Replace its credentials?`;
    if (!(await askConsent(terminal, question))) throw alreadyWorks(connection, works);
  }
  if (foreign.length === 0) return false;
  const question = `The rotator did not create ${foreign.join(', ')} in ${connection.vaults.credential} for this connection. Overwrite?`;
  if (await askConsent(terminal, question)) return true;
  throw notOurs(foreign, connection);
}

/** Stores the credentials, rotates once, and prints or adds the entry. From here on Ctrl-C waits until the command is done. */
export async function keep(
  cli: Cli,
  parts: Pick<Connected, 'ports' | 'settings' | 'stack'>,
  beginning: Beginning,
): Promise<number> {
  const { terminal } = cli;
  const { connection, entry, replace } = beginning;
  const { name } = connection;
  const stored = await terminal.working('Writing to the credential vault', () =>
    storeConnection(connection, parts.ports, beginning, replace),
  );
  const orSayStored = (thrown: unknown): never => {
    terminal.hint(storedLine(connection, stored));
    throw thrown;
  };
  const rotation = await terminal
    .working('Rotating for the first time', () => firstRotation(connection, parts.ports))
    .catch(orSayStored);
  const appended =
    entry && parts.stack ? await appendEntry(name, entry, parts.settings).catch(orSayStored) : undefined;
  const document = {
    connection: name,
    stored,
    rotation: documentOf(rotation),
    ...(entry && { entry: { [name]: entry } }),
    ...(appended && { file: appended }),
  };
  terminal.result(document, [
    ...firstRotationLines(rotation, storedLine(connection, stored)),
    ...entryLines(name, entry, appended),
  ]);
  return exitCodeOfResult(rotation);
}

/** What the vault has now, for an operator whose first rotation failed. */
function storedLine({ vaults }: Connection, stored: readonly string[]): string {
  return stored.length === 0
    ? `${vaults.credential} already had these credentials: nothing was written.`
    : `Stored in ${vaults.credential}: ${stored.join(', ')}.`;
}

/** Why only the deployed rotator can complete the first rotation. */
const NOT_HERE: Readonly<Partial<Record<ErrorCode, string>>> = {
  vault_forbidden: 'An operator has no permission to publish',
  identity_unavailable: 'This machine has no managed identity',
};

/** The result of the first rotation, for the operator who has just stored the credentials. */
function firstRotationLines(rotation: RotationResult, stored: string): readonly string[] {
  const { connection, result, problem } = rotation;
  if (result === 'not_due') return [`${connection} was rotated by the running rotator.`];
  if (result === 'rotated') return resultLines(rotation);
  const why = problem && NOT_HERE[problem.code];
  if (why === undefined) return [...resultLines(rotation), stored];
  const line = `The credentials are stored. ${why}: the deployed rotator rotates as soon as it has the entry.`;
  return [...resultLines(rotation), stored, line];
}

function entryLines(name: string, entry: Entry | undefined, file: string | undefined): string[] {
  if (!entry) return [];
  if (file !== undefined)
    return [`The entry is in ${file}. The running stack rotates the connection from now on.`];
  const text = JSON.stringify({ [name]: entry }, null, 2);
  return ['', 'Add this to "connections" in the connections file:', ...text.split('\n').slice(1, -1)];
}
