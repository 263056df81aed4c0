import type { BlockBlobClient } from '@azure/storage-blob';
import { LARGEST_CONFIGURATION_BYTES } from '../../lib/azure/configurationBlob.ts';
import { readFailure } from '../../lib/azure/serviceFailure.ts';
import { storageError } from '../../lib/azure/storageErrors.ts';
import { readEntryRules } from '../../lib/config/environment.ts';
import type { Environment } from '../../lib/config/environmentReader.ts';
import { parseConnections } from '../../lib/config/parseConnections.ts';
import { RotatorError } from '../../lib/errors.ts';
import { untilRolesSpread, type Waiting } from './untilRolesSpread.ts';

/** What the upload needs from its caller. */
export interface UploadPorts extends Waiting {
  readFile(path: string): Promise<Uint8Array>;
  blobAt(url: string): Pick<BlockBlobClient, 'upload'>;
}

/**
 * Checks the connections file as the rotator would, and uploads it, byte for byte, to the blob that the deployment reads.
 * @param env the outputs of the deployment
 * @throws RotatorError `configuration_invalid` (file or variables), `storage_*`; then it uploads nothing
 */
export async function uploadConnections(env: Environment, ports: UploadPorts): Promise<void> {
  // azd does not print the outputs of a deployment.
  if (env.WARNINGS) ports.say(`Warning: ${env.WARNINGS}`);
  if (env.CONNECTIONS_SOURCE !== 'blob') {
    ports.say('The connections are in the parameters of the deployment: there is no file to upload.');
    return;
  }
  const url = required(env, 'CONNECTIONS_BLOB_URL');
  const path = env.CONNECTIONS_FILE || 'connections.json';
  const file = await read(path, ports);
  const count = check(file, path, env);
  await upload(file, url, ports);
  ports.say(`Uploaded ${path} (connections: ${count}) to ${url}; the next sweep reads it.`);
}

function required(env: Environment, name: string): string {
  const value = env[name];
  if (value) return value;
  throw invalid(
    `${name} is not set.`,
    'Run this with azd, or set it to the deployment output of the same name.',
  );
}

async function read(path: string, ports: UploadPorts): Promise<Uint8Array> {
  try {
    return await ports.readFile(path);
  } catch {
    throw invalid(
      `Cannot read ${path}.`,
      'Write the connections there, or set CONNECTIONS_FILE to their path.',
    );
  }
}

/** @returns the number of connections in the file */
function check(file: Uint8Array, path: string, env: Environment): number {
  if (file.length > LARGEST_CONFIGURATION_BYTES) {
    throw invalid(
      `${path} is larger than 4 MB.`,
      'Split the connections between two rotators; a rotator reads at most 4 MB.',
    );
  }
  required(env, 'CREDENTIAL_VAULT_URL');
  // The limits of the deployment count, and no setting of this machine.
  const rules = readEntryRules({ ...env, ALLOW_LOOPBACK_HTTP: undefined, ROTATION_SCHEDULE: undefined });
  const { valid, invalid: wrong } = parseConnections(textOf(file, path), rules);
  if (wrong.length === 0 && valid.length === 0 && env.ALLOW_NO_CONNECTIONS !== 'true') {
    throw invalid(
      `${path} was not uploaded: it has no connections, so the rotator would renew no token.`,
      'Write the connections into the file. If the rotator shall have none, set ALLOW_NO_CONNECTIONS to true.',
    );
  }
  if (wrong.length === 0) return valid.length;
  const messages = wrong.map(({ problem }) => problem.message);
  const fixes = new Set(wrong.map(({ problem }) => problem.fix));
  throw invalid(`${path} was not uploaded: ${messages.join(' ')}`, [...fixes].join(' '));
}

function textOf(file: Uint8Array, path: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(file);
  } catch {
    throw invalid(`${path} is not valid UTF-8.`, 'Save the connections as UTF-8.');
  }
}

async function upload(file: Uint8Array, url: string, ports: UploadPorts): Promise<void> {
  const blob = ports.blobAt(url);
  const why = await untilRolesSpread(ports, async () => {
    try {
      await blob.upload(file, file.length, { blobHTTPHeaders: { blobContentType: 'application/json' } });
      return undefined;
    } catch (thrown) {
      const { codes } = readFailure(thrown);
      if (codes.includes('AuthorizationPermissionMismatch'))
        return 'the storage account does not know your role yet';
      if (codes.includes('AuthorizationFailure')) throw firewallError(url);
      throw storageError(thrown, 'upload the connections', url);
    }
  });
  if (why !== undefined) throw noRoleError(url);
}

function noRoleError(url: string): RotatorError {
  return new RotatorError({
    code: 'storage_forbidden',
    message: `The signed-in account may not write to ${url}.`,
    fix: 'Sign in as an operator of the deployment, or add your account to its parameter operators and deploy again.',
  });
}

function firewallError(url: string): RotatorError {
  return new RotatorError({
    code: 'storage_forbidden',
    message: `The firewall of the storage account does not let this machine write to ${url}.`,
    fix: "Add the public address of this machine to the deployment's parameter allowedIpRanges and deploy again, or upload from a machine in the virtual network.",
  });
}

function invalid(message: string, fix: string): RotatorError {
  return new RotatorError({ code: 'configuration_invalid', message, fix });
}
