import { generateKeyPairSync, randomBytes, randomUUID } from 'node:crypto';
import type { JWK } from 'oidc-provider';

/** The server's own keys: they sign id tokens and cookies. */
export interface ServerKeys {
  jwks: { keys: JWK[] };
  cookieKeys: string[];
}

/** New keys. They are elliptic, because making an RSA key would take longer than the rest of the start. */
export function generateKeys(): ServerKeys {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const jwk = { ...privateKey.export({ format: 'jwk' }), kid: randomUUID(), use: 'sig', alg: 'ES256' };
  return { jwks: { keys: [jwk as JWK] }, cookieKeys: [randomBytes(32).toString('base64url')] };
}
