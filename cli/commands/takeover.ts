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
      `${name} is not claimed by another rotator: there is nothing to do.`,
    ]);
    return EXIT.done;
  }
  terminal.hint(meaning(name, owner, ownStore));
  if (!yes && !(await askConsent(terminal, `Take ${name} over?`))) throw notConfirmed(name, owner);
  ensureNotInterrupted(cli);
  await rotator.takeOver(name, owner);
  terminal.result({ connection: name, takenOver: true, from: owner, to: ownStore }, [
    `${name} belongs to ${ownStore} now, and is due at once.`,
  ]);
  return EXIT.done;
}

function meaning(name: string, owner: string, ownStore: string): string {
  return [
    `The refresh token of ${name} was last used by a rotator whose records are in ${owner}; those of this one are in ${ownStore}.`,
    'Taking it over is safe only if that rotator is stopped, or no longer has the connection: two of them would each use up',
    "the other's refresh tokens, and the provider may then revoke everything.",
  ].join('\n');
}

function notConfirmed(name: string, owner: string): RotatorError {
  return new RotatorError({
    code: 'owned_elsewhere',
    message: `${name} belongs to the records in ${owner}, and nothing was changed.`,
    fix: 'Stop the other rotator, then run the command again with --yes.',
  });
}
