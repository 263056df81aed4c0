import {
  type EnvironmentReader,
  isInQuotes,
  note,
  readClientId,
  readOriginOf,
  settingOf,
} from './environmentReader.ts';
import type { StorageSettings } from './settings.ts';

const CONNECTION_STRING = 'AzureWebJobsStorage';
const ACCOUNT_NAME = `${CONNECTION_STRING}__accountName`;
const BLOB_SERVICE_URI = `${CONNECTION_STRING}__blobServiceUri`;
const CREDENTIAL = `${CONNECTION_STRING}__credential`;
const CLIENT_ID = `${CONNECTION_STRING}__clientId`;

const CONNECTION_STRING_FIX = `Set ${CONNECTION_STRING} to the storage account's connection string, or to UseDevelopmentStorage=true for the emulator.`;
const ACCOUNT_NAME_FIX = `Set ${ACCOUNT_NAME} to the storage account's name (3 to 24 of a-z and 0-9).`;
const BLOB_SERVICE_URI_FIX = `Set ${BLOB_SERVICE_URI} to https://ACCOUNT.blob.core.windows.net.`;

/**
 * The storage account in the host's own settings. A connection string takes precedence over an identity, as in the host,
 * so that both always use the same account.
 * @returns undefined if a setting is missing or not valid; the reader has the findings
 */
export function readStorage(
  reader: EnvironmentReader,
  allowLoopbackHttp: boolean,
): StorageSettings | undefined {
  const clientId = readClientId(reader, CLIENT_ID);
  checkCredential(reader);
  const blobServiceUrl = readBlobServiceUrl(reader, allowLoopbackHttp);
  const connectionString = settingOf(reader, CONNECTION_STRING);
  if (connectionString !== undefined) return readConnectionString(reader, connectionString);
  if (blobServiceUrl === undefined) return undefined;
  return { kind: 'identity', blobServiceUrl, ...(clientId === undefined ? {} : { clientId }) };
}

function readConnectionString(
  reader: EnvironmentReader,
  connectionString: string,
): StorageSettings | undefined {
  if (identityNamed(reader)) {
    reader.warnings.push(
      `${CONNECTION_STRING} holds a connection string, so ${ACCOUNT_NAME} and ${BLOB_SERVICE_URI} have no effect. Remove either the one or the others.`,
    );
  }
  if (isConnectionString(connectionString) && !isInQuotes(reader, CONNECTION_STRING))
    return { kind: 'connectionString', connectionString };
  note(reader, CONNECTION_STRING, 'is not a connection string of a storage account', CONNECTION_STRING_FIX);
  return undefined;
}

/** Checks only the form, because the value contains the account's key. */
function isConnectionString(text: string): boolean {
  return /(^|;)\s*(UseDevelopmentStorage\s*=\s*true|(AccountName|BlobEndpoint)\s*=\s*[^;\s])/i.test(text);
}

function identityNamed(reader: EnvironmentReader): boolean {
  return [ACCOUNT_NAME, BLOB_SERVICE_URI].some((name) => settingOf(reader, name) !== undefined);
}

function readBlobServiceUrl(reader: EnvironmentReader, allowLoopbackHttp: boolean): string | undefined {
  if (!identityNamed(reader)) {
    if (settingOf(reader, CONNECTION_STRING) === undefined)
      note(reader, ACCOUNT_NAME, 'is not set', ACCOUNT_NAME_FIX);
    return undefined;
  }
  const account = readAccountName(reader);
  if (settingOf(reader, BLOB_SERVICE_URI) === undefined) return account;
  return readOriginOf(reader, BLOB_SERVICE_URI, BLOB_SERVICE_URI_FIX, allowLoopbackHttp);
}

/** The account's address in the public cloud; other clouds need `__blobServiceUri`. */
function readAccountName(reader: EnvironmentReader): string | undefined {
  const account = settingOf(reader, ACCOUNT_NAME);
  if (account === undefined) return undefined;
  if (/^[a-z0-9]{3,24}$/.test(account)) return `https://${account}.blob.core.windows.net`;
  note(reader, ACCOUNT_NAME, 'is not a valid storage account name', ACCOUNT_NAME_FIX);
  return undefined;
}

function checkCredential(reader: EnvironmentReader): void {
  const credential = settingOf(reader, CREDENTIAL);
  if (credential === undefined || credential.toLowerCase() === 'managedidentity') return;
  note(reader, CREDENTIAL, 'is not managedidentity', `Set ${CREDENTIAL} to managedidentity, or remove it.`);
}
