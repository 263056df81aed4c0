import { isQuoted } from '../rotation/core/credentialValue.ts';
import { readOrigin } from './address.ts';
import type { Finding } from './findings.ts';

/** Variables by name, usually `process.env`. */
export type Environment = Readonly<Record<string, string | undefined>>;

/** Reads variables and collects all problems and warnings. */
export interface EnvironmentReader {
  readonly env: Environment;
  readonly findings: Finding[];
  readonly warnings: string[];
}

/** The value without white space around it; undefined if it is missing or empty. */
export function settingOf({ env }: EnvironmentReader, name: string): string | undefined {
  return env[name]?.trim() || undefined;
}

/** Records a problem with a variable. `cause` and `fix` never repeat its value. */
export function note(reader: EnvironmentReader, where: string, cause: string, fix: string): void {
  const unresolved = {
    where,
    cause: 'is a Key Vault reference that App Service has not resolved',
    fix: `Grant the app's identity the role Key Vault Secrets User on the vault that ${where} refers to, or set ${where} to the value itself.`,
  };
  const quoted = {
    where,
    cause: 'has quotes around it',
    fix: `Remove the quotes around the value of ${where}.`,
  };
  const named = isReference(reader, where) ? unresolved : isInQuotes(reader, where) ? quoted : undefined;
  reader.findings.push(named ?? { where, cause, fix });
}

/** As in a script or an .env file, where the quotes do not belong to the value. */
export function isInQuotes(reader: EnvironmentReader, name: string): boolean {
  return isQuoted(settingOf(reader, name) ?? '');
}

/** App Service passes on the reference itself if it cannot read the secret. */
export function isReference(reader: EnvironmentReader, name: string): boolean {
  return /^@Microsoft\.KeyVault\(/i.test(settingOf(reader, name) ?? '');
}

/** `true` or `false`; false if the variable is missing. */
export function readFlag(reader: EnvironmentReader, name: string): boolean {
  const value = settingOf(reader, name)?.toLowerCase() ?? 'false';
  if (value === 'true' || value === 'false') return value === 'true';
  note(reader, name, 'is neither true nor false', `Set ${name} to true or false, or remove it.`);
  return false;
}

/** A whole number from 1 to `most`; the default if the variable is missing. */
export function readCount(reader: EnvironmentReader, name: string, most: number, fallback: number): number {
  const value = settingOf(reader, name);
  if (value === undefined) return fallback;
  const count = /^\d{1,9}$/.test(value) ? Number(value) : 0;
  if (count >= 1 && count <= most) return count;
  note(reader, name, `is not a whole number from 1 to ${most}`, `Set ${name} to a number from 1 to ${most}.`);
  return fallback;
}

/**
 * A list of words with spaces or commas between them.
 * @returns undefined if the variable is missing, or if `read` does not accept one of the words
 */
export function readList(
  reader: EnvironmentReader,
  name: string,
  read: (word: string) => string | undefined,
  fix: string,
): string[] | undefined {
  const words = settingOf(reader, name)
    ?.split(/[\s,]+/)
    .filter((word) => word !== '');
  if (words === undefined) return undefined;
  const accepted = words.flatMap((word) => read(word) ?? []);
  if (words.length > 0 && accepted.length === words.length) return accepted;
  note(reader, name, 'has an item that is not valid', fix);
  return undefined;
}

/** A service's address without path; undefined if the variable is missing or not valid. */
export function readOriginOf(
  reader: EnvironmentReader,
  name: string,
  fix: string,
  allowLoopbackHttp: boolean,
): string | undefined {
  const value = settingOf(reader, name);
  if (value === undefined) return undefined;
  const result = readOrigin(value, allowLoopbackHttp);
  if (result.cause === undefined) return result.origin;
  note(reader, name, result.cause, fix);
  return undefined;
}

/** Matches the ids of Entra: of a tenant, a client or an identity. */
export const GUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

/** The client id of a managed identity; undefined if the variable is missing or not valid. */
export function readClientId(reader: EnvironmentReader, name: string): string | undefined {
  const value = settingOf(reader, name);
  if (value === undefined || GUID.test(value)) return value;
  note(reader, name, 'is not a client id', `Set ${name} to the client id (a GUID) of the managed identity.`);
  return undefined;
}
