import { text as streamText } from 'node:stream/consumers';
import { confirm, isCancel, password, text } from '@clack/prompts';
import { interrupted } from '../lib/authorization/client.ts';
import { RotatorError } from '../lib/errors.ts';
import type { Terminal } from './terminal.ts';

/** @param instead how to give it where nobody can be asked: "--client-id" */
export async function askText(terminal: Terminal, message: string, instead: string): Promise<string> {
  if (!terminal.interactive) throw cannotAsk(message, instead);
  return answered(await text({ message, validate: required }));
}

/** Asks for a secret: what is typed is not shown. */
export async function askSecret(terminal: Terminal, message: string, instead: string): Promise<string> {
  if (!terminal.interactive) throw cannotAsk(message, instead);
  return answered(await password({ message, validate: required }));
}

/** No is the answer where nobody can be asked. */
export async function askConsent(terminal: Terminal, message: string): Promise<boolean> {
  if (!terminal.interactive) return false;
  return answered(await confirm({ message, initialValue: false }));
}

/** All of stdin, without the line end that a pipe brings along. */
export async function readStdin(): Promise<string> {
  return (await streamText(process.stdin)).replace(/\r?\n$/, '');
}

function required(value: string | undefined): string | undefined {
  return value?.trim() ? undefined : 'It is needed.';
}

function answered<T>(answer: T): Exclude<T, symbol> {
  if (isCancel(answer)) throw interrupted();
  return answer as Exclude<T, symbol>;
}

function cannotAsk(what: string, instead: string): RotatorError {
  return new RotatorError({
    code: 'command_invalid',
    message: `${what} is not given, and nobody can be asked here.`,
    fix: `Give it by ${instead}.`,
  });
}
