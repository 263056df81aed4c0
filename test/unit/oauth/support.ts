import type { Connection } from '../../../lib/rotation/connection.ts';
import { type ConnectionChanges, connectionNamed } from '../rotation/world/connection.ts';

/** A connection with two client secrets, at a token endpoint whose query must not be shown. */
export function connectionWith(changes: ConnectionChanges = {}): Connection {
  const { secrets } = connectionNamed();
  return connectionNamed('crm', {
    tokenUri: 'https://login.example.com/oauth/token?tenant=hidden',
    secrets: { ...secrets, clientSecrets: ['crm-client-secret', 'crm-client-secret-2'] },
    ...changes,
  });
}

/** The body of an answer. */
export function bytesOf(value: unknown): Uint8Array {
  return Buffer.from(typeof value === 'string' ? value : JSON.stringify(value));
}
