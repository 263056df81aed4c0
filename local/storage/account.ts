import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readOwnFile } from '../../cli/ownFile.ts';
import { replaceFile } from '../../cli/replaceFile.ts';

const FILE = 'account.json';

/** The storage account of an emulator. */
export interface StorageAccount {
  readonly name: string;
  /** Base64 of 64 bytes, like real keys. */
  readonly key: string;
  readonly port?: number;
}

/** An account with its own key: with the emulator's well-known key, every web page and program could read it. */
export function newAccount(): StorageAccount {
  return { name: 'tokenrotator', key: randomBytes(64).toString('base64') };
}

/**
 * The account that a data directory belongs to; undefined if the directory is new.
 * @throws Error if the file is damaged
 */
export function loadAccount(directory: string): StorageAccount | undefined {
  const file = join(directory, FILE);
  const text = readOwnFile(file);
  if (text === undefined) return undefined;
  const account = parse(text);
  if (!account) throw new Error(`${file} is damaged. Delete ${directory} to start with empty storage.`);
  return account;
}

/** Keeps the account for the next start; only the owner can read it. */
export function saveAccount(directory: string, account: StorageAccount): Promise<void> {
  return replaceFile(join(directory, FILE), `${JSON.stringify(account)}\n`);
}

function parse(text: string): StorageAccount | undefined {
  try {
    const { name, key, port } = JSON.parse(text);
    return typeof name === 'string' && typeof key === 'string' ? { name, key, port } : undefined;
  } catch {
    return undefined;
  }
}
