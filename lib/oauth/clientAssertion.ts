import { createHash, sign } from 'node:crypto';
import type { Connection, SigningAlgorithm } from '../rotation/core/connection.ts';
import type { ClientAssertions, ReadClientKey, VaultKeys } from '../rotation/ports.ts';
import { algorithmOf, keyUnusable, readPrivateKey } from './privateKey.ts';

/** What client assertions are made with. */
export interface AssertionOptions {
  readonly keys: (vaultUrl: string) => VaultKeys;
  /** A token of the managed identity. @param audience undefined: the usual one */
  readonly federatedToken: (audience: string | undefined) => Promise<string>;
  /** A new unique id. */
  readonly newId: () => string;
}

/** How long an assertion is valid, in seconds: it is sent immediately, and only once. */
const LIFETIME = 120;
/** How far the clock of the provider may be behind, in seconds. */
const TOLERANCE = 10;

/** Client assertions that are signed with keys from Key Vault, or come from the managed identity. */
export function createClientAssertions({ keys, federatedToken, newId }: AssertionOptions): ClientAssertions {
  return {
    read: async ({ vaults }, { kind, name }) =>
      kind === 'secret' ? undefined : keys(vaults.credential).get(kind, name),
    sign: async (connection, clientId, key, now) => {
      const { algorithm, thumbprint, signed } = signerOf(connection, key, now, keys);
      const { keyId } = key.key;
      const header = {
        alg: algorithm,
        typ: 'JWT',
        ...(keyId !== undefined && { kid: keyId }),
        ...(thumbprint !== undefined && { 'x5t#S256': thumbprint }),
      };
      const input = [header, claimsOf(connection, clientId, newId(), now)].map(encoded).join('.');
      return `${input}.${Buffer.from(await signed(input)).toString('base64url')}`;
    },
    federate: ({ assertionAudience }) => federatedToken(assertionAudience),
  };
}

/** RFC 7523 section 3, for the endpoint to which it is sent. */
function claimsOf(
  { tokenUri, assertionAudience = tokenUri }: Connection,
  clientId: string,
  jti: string,
  now: number,
): object {
  const at = Math.floor(now / 1000);
  const times = { iat: at - TOLERANCE, nbf: at - TOLERANCE, exp: at + LIFETIME };
  return { iss: clientId, sub: clientId, aud: assertionAudience, jti, ...times };
}

function encoded(part: object): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

interface Signer {
  readonly algorithm: SigningAlgorithm;
  /** Of the certificate, if there is one. */
  readonly thumbprint: string | undefined;
  readonly signed: (text: string) => Promise<Uint8Array>;
}

/** @throws RotatorError `key_unusable` */
function signerOf(
  connection: Connection,
  read: ReadClientKey,
  now: number,
  keys: AssertionOptions['keys'],
): Signer {
  const { key, secret, vaultKey } = read;
  if (secret) {
    const { privateKey, type, thumbprint } = readPrivateKey(connection, key, secret, now);
    const algorithm = algorithmOf(connection, read, type);
    return {
      algorithm,
      thumbprint,
      signed: async (text) => sign('sha256', Buffer.from(text), { key: privateKey, ...FORMS[algorithm] }),
    };
  }
  if (!vaultKey) throw new Error('A key of the client is in a secret or in the vault.');
  const { type, thumbprint, version, expiresAt } = vaultKey;
  if (expiresAt !== undefined && expiresAt <= now) {
    const day = new Date(expiresAt).toISOString().slice(0, 10);
    throw keyUnusable(connection, read, {
      what: `expired on ${day}`,
      fix: `Create a new version of ${key.name} in the vault, and register it at the provider.`,
    });
  }
  const algorithm = algorithmOf(connection, read, type);
  return {
    algorithm,
    thumbprint,
    signed: (text) =>
      keys(connection.vaults.credential).sign(
        { name: key.name, version },
        algorithm,
        createHash('sha256').update(text).digest(),
      ),
  };
}

/** RFC 7518 sections 3.3 to 3.5; 6 is RSASSA-PSS, with a salt as long as the digest. */
const FORMS = {
  RS256: {},
  PS256: { padding: 6, saltLength: 32 },
  ES256: { dsaEncoding: 'ieee-p1363' },
} as const;
