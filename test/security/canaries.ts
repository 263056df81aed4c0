import { createHash } from 'node:crypto';

/** What a canary stands for: the secrets that the vault holds, the tokens that an answer brings, and what stands in an address. */
export type Purpose = 'client-secret' | 'stored' | 'access' | 'refresh' | 'address';

/** A secret of a connection; made anew in each run and the same whenever it is asked for. */
export function canary(connection: string, purpose: Purpose): string {
  const digest = createHash('sha256').update(`${connection} ${purpose}`).digest('hex').slice(0, 16);
  return `canary-${purpose}-${digest}`;
}

/** Everything that would betray a secret of the connection: each canary, plain and as the Authorization header carries it. */
export function traces(connection: string): string[] {
  const purposes: Purpose[] = ['client-secret', 'stored', 'access', 'refresh', 'address'];
  const plain = purposes.map((purpose) => canary(connection, purpose));
  const basic = Buffer.from(`${connection}:${canary(connection, 'client-secret')}`).toString('base64');
  // The digests alone as well: a part of a secret is a leak too.
  return [...plain.map((value) => value.slice(-16)), basic.slice(-20), 'canary-'];
}
