import type { LocalConnection } from '../../local/connections.ts';

/** A connection of the local stack: single use and `client_secret_basic` unless `changes` sets others. */
export function localConnection(name: string, changes: Partial<LocalConnection> = {}): LocalConnection {
  return {
    name,
    rotation: 'single_use',
    clientAuthentication: 'client_secret_basic',
    description: '',
    ...changes,
  };
}
