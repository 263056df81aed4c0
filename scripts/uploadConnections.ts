/**
 * Uploads the connections file of a deployment that reads it from a blob. azd runs it after each provisioning. It reads the
 * outputs of the deployment (CONNECTIONS_SOURCE, CONNECTIONS_BLOB_URL, CREDENTIAL_VAULT_URL, TOKEN_VAULT_URL, ALLOWED_TOKEN_HOSTS,
 * ALLOWED_VAULTS and WARNINGS, which it prints), CONNECTIONS_FILE, the path of the file (default: connections.json), and
 * ALLOW_NO_CONNECTIONS: true uploads a file without connections.
 */
import { readFile } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { BlockBlobClient } from '@azure/storage-blob';
import { createCredential } from '../lib/azure/credential.ts';
import { problemOf } from '../lib/errors.ts';
import { uploadConnections } from './deploy/uploadConnections.ts';

// azd runs it for a user or a service principal, on any machine.
const credential = createCredential({ env: { ...process.env, IDENTITY_ENDPOINT: undefined } });
try {
  await uploadConnections(process.env, {
    readFile: (path) => readFile(path),
    blobAt: (url) => new BlockBlobClient(url, credential),
    wait: (ms) => wait(ms),
    say: (line) => console.log(line),
  });
} catch (thrown) {
  const { message, fix } = problemOf(thrown);
  console.error(`${message} ${fix}`);
  process.exitCode = 1;
}
