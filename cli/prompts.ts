import { text as streamText } from 'node:stream/consumers';
import { confirm, isCancel, password, text } from '@clack/prompts';
import { RotatorError } from '../lib/errors.ts';
import { printable } from '../lib/safeText.ts';
import { commandInterrupted } from './cli.ts';
import type { Terminal } from './terminal.ts';

/** @param instead the option to use if the terminal is not interactive: "--client-id" */
export async function askText(terminal: Terminal, message: string, instead: string): Promise<string> {
  if (!terminal.interactive) throw cannotAsk(message, instead);
  return answered(await text({ message, validate: required }));
}

/** Asks for a secret, and does not show what the user types. */
export async function askSecret(terminal: Terminal, message: string, instead: string): Promise<string> {
  if (!terminal.interactive) throw cannotAsk(message, instead);
  return answered(await password({ message, validate: required }));
}

/** Asks for consent; false if the terminal is not interactive. */
export async function askConsent(terminal: Terminal, message: string): Promise<boolean> {
  if (!terminal.interactive) return false;
  return answered(await confirm({ message: printable(message), initialValue: false }));
}

/** All of stdin, without the line break that a pipe appends. */
export async function readStdin(): Promise<string> {
  return (await streamText(process.stdin)).replace(/\r?\n$/, '');
}

function required(value: string | undefined): string | undefined {
  return value?.trim() ? undefined : 'A value is required.';
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw commandInterrupted();
  return answer as Exclude<T, symbol>;
}

function cannotAsk(what: string, instead: string): RotatorError {
  return new RotatorError({
    code: 'command_invalid',
    message: `${what} is missing, and the command cannot ask for it without a terminal.`,
    fix: `Set it with ${instead}.`,
  });
}
