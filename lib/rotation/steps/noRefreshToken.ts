import type { Connection } from '../core/connection.ts';
import { NO_REFRESH_TOKEN } from '../core/decide.ts';
import { type ConnectionRecord, removalEnded } from '../core/record.ts';
import type { Ports, Secret } from '../ports.ts';
import type { ProcessMemory } from '../processMemory.ts';
import type { Lease } from './lease.ts';
import { RefreshTokenSecret } from './refreshToken.ts';

/**
 * The grant `client_credentials` has no refresh token: nothing is announced, replaced or disabled in the vault. Only the record shows a
 * request, which can be repeated at any time.
 */
export class NoRefreshToken extends RefreshTokenSecret {
  readonly #prepared: () => void;

  constructor(connection: Connection, parts: { ports: Ports; lease: Lease; memory: ProcessMemory }) {
    super(connection, parts);
    this.#prepared = () => parts.memory.refreshTokens.set(connection.name, NO_REFRESH_TOKEN.version);
  }

  override async prepare(record: ConnectionRecord): Promise<{ record: ConnectionRecord; sent: Secret }> {
    this.#prepared();
    return { record: removalEnded(record), sent: NO_REFRESH_TOKEN };
  }

  override async announce(): Promise<void> {}

  override async clearAnnouncement(): Promise<void> {}

  override async wasReplaced(): Promise<boolean> {
    return false;
  }

  override async disableSuperseded(): Promise<void> {}
}
