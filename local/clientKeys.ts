import { createHash, type JsonWebKey, KeyObject, webcrypto } from 'node:crypto';
import { X509CertificateGenerator } from '@peculiar/x509';

const ALGORITHMS = {
  RSA: {
    name: 'RSASSA-PKCS1-v1_5',
    hash: 'SHA-256',
    modulusLength: 2048,
    publicExponent: new Uint8Array([1, 0, 1]),
  },
  EC: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
} as const;

const DAY_MS = 86_400_000;

/** A key of a client, as its operator has it. */
export interface LocalClientKey {
  readonly privateKey: KeyObject;
  /** The private key, and the certificate if there is one. */
  readonly pem: string;
  /** The public key, as the operator registers it at the authorization server. */
  readonly jwk: JsonWebKey;
  /** The DER of the certificate. */
  readonly certificate?: Buffer;
  /** `x5t#S256` of the certificate. */
  readonly thumbprint?: string;
}

/** What kind of key to make. */
export interface KeyWish {
  readonly type: keyof typeof ALGORITHMS;
  readonly withCertificate?: boolean;
  /** The end of the certificate, in milliseconds since the epoch. Default: in a month. */
  readonly notAfter?: number;
}

/** Makes a key, with a self-signed certificate if that is asked for. */
export async function newClientKey({ type, withCertificate, notAfter }: KeyWish): Promise<LocalClientKey> {
  const algorithm = ALGORITHMS[type];
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const privateKey = KeyObject.from(keys.privateKey);
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const jwk = KeyObject.from(keys.publicKey).export({ format: 'jwk' });
  if (!withCertificate) return { privateKey, pem, jwk };
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=client',
    keys,
    signingAlgorithm: algorithm,
    notBefore: new Date(Date.now() - 40 * DAY_MS),
    notAfter: new Date(notAfter ?? Date.now() + 30 * DAY_MS),
  });
  const der = Buffer.from(certificate.rawData);
  return {
    privateKey,
    pem: `${pem}${certificate.toString('pem')}\n`,
    jwk,
    certificate: der,
    thumbprint: createHash('sha256').update(der).digest('base64url'),
  };
}
