import { RotatorError } from '../../lib/errors.ts';
import { createRotator } from '../../lib/rotator.ts';
import { type Cli, connect, ensureNotInterrupted } from '../cli.ts';
import { EXIT } from '../exitCodes.ts';
import { askConsent } from '../prompts.ts';

/** `rotator takeover NAME [--yes]` */
export async function takeover(cli: Cli, name: string, { yes }: { yes?: true }): Promise<number> {
  const { terminal } = cli;
  const { ports } = await connect(cli);
  const rotator = createRotator(ports, Date.now);
  const { owner, ownStore } = await rotator.owner(name);
  if (owner === undefined) {
    terminal.result({ connection: name, takenOver: false }, [
      `${name} does not belong to another rotator: there is nothing to do.`,
    ]);
    return EXIT.done;
  }
  terminal.hint(meaning(name, owner, ownStore));
  if (!yes && !(await askConsent(terminal, `Take ${name} over?`))) throw notConfirmed(name, owner);
  ensureNotInterrupted(cli);
  await rotator.takeOver(name, owner);
  terminal.result({ connection: name, takenOver: true, from: owner, to: ownStore }, [
    `${name} now belongs to ${ownStore}, and is due immediately.`,
  ]);
  return EXIT.done;
}

function meaning(name: string, owner: string, ownStore: string): string {
  return [
    `A rotator with its records in ${owner} last used the refresh token of ${name}. This rotator has its records in ${ownStore}.`,
    'A takeover is safe only if that rotator is stopped, or no longer has the connection. Otherwise each rotator uses up',
    "the other's refresh tokens, and the provider may then revoke the whole token family.",
  ].join('\n');
}

function notConfirmed(name: string, owner: string): RotatorError {
  return new RotatorError({
    code: 'owned_elsewhere',
    message: `${name} belongs to the rotator with its records in ${owner}. The command changed nothing.`,
    fix: 'Stop the other rotator, then run the command again with --yes.',
  });
}
