import { createHash } from 'node:crypto';

/** What a canary stands for: a secret in the vault, a token in a response, or the secret part of an address. */
export type Purpose = 'client-secret' | 'stored' | 'access' | 'refresh' | 'address';

/** A fake secret of a connection; the same for every call with the same arguments. */
export function canary(connection: string, purpose: Purpose): string {
  const digest = createHash('sha256').update(`${connection} ${purpose}`).digest('hex').slice(0, 16);
  return `canary-${purpose}-${digest}`;
}

/** Everything that would reveal a secret of the connection: each canary, plain and as in the Authorization header. */
export function traces(connection: string): string[] {
  const purposes: Purpose[] = ['client-secret', 'stored', 'access', 'refresh', 'address'];
  const plain = purposes.map((purpose) => canary(connection, purpose));
  const basic = Buffer.from(`${connection}:${canary(connection, 'client-secret')}`).toString('base64');
  // The digests without their prefix, because a part of a secret is also a leak.
  return [...plain.map((value) => value.slice(-16)), basic.slice(-20), 'canary-'];
}
