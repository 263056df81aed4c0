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
  const { by, owner, own } = await rotator.owner(name);
  if (owner === undefined) {
    terminal.result({ connection: name, takenOver: false }, [
      `${name} does not belong to another rotator: there is nothing to do.`,
    ]);
    return EXIT.done;
  }
  terminal.hint(meaning[by](name, owner, own));
  if (!yes && !(await askConsent(terminal, `Take ${name} over?`))) throw notConfirmed(name, NAMES[by], owner);
  ensureNotInterrupted(cli);
  await rotator.takeOver(name, owner);
  terminal.result({ connection: name, takenOver: true, from: owner, to: own }, [
    `${name} now belongs to ${own}, and is due immediately.`,
  ]);
  return EXIT.done;
}

const NAMES = { record_store: 'its records in', credential_vault: 'the credential vault' } as const;

const meaning = {
  record_store: (name: string, owner: string, own: string) =>
    [
      `A rotator with its records in ${owner} last used the refresh token of ${name}. This rotator has its records in ${own}.`,
      'A takeover is safe only if that rotator is stopped, or no longer has the connection. Otherwise each rotator uses up',
      "the other's refresh tokens, and the provider may then revoke the whole token family.",
    ].join('\n'),
  credential_vault: (name: string, owner: string, own: string) =>
    [
      `The record of ${name} belongs to a rotator with the credential vault ${owner}. The credential vault of this rotator is ${own}.`,
      'A takeover is right only if the secrets were moved to this vault. Otherwise the other rotator loses the record and stops.',
    ].join('\n'),
};

function notConfirmed(name: string, what: string, owner: string): RotatorError {
  return new RotatorError({
    code: 'owned_elsewhere',
    message: `${name} belongs to the rotator with ${what} ${owner}. The command changed nothing.`,
    fix: 'Stop the other rotator, then run the command again with --yes.',
  });
}
