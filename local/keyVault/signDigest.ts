import { constants, createECDH, createHash, type KeyObject, privateEncrypt, randomBytes } from 'node:crypto';

/** RFC 7518 section 3.1. */
export type Algorithm = 'RS256' | 'PS256' | 'ES256';

/**
 * Signs a SHA-256 digest. Node signs only what it has hashed itself, and a vault receives the digest alone: this is for the local vault
 * and not hardened against anything.
 */
export function signDigest(key: KeyObject, algorithm: Algorithm, digest: Buffer): Buffer {
  if (algorithm === 'ES256') return ecdsa(key, digest);
  if (algorithm === 'PS256')
    return privateEncrypt({ key, padding: constants.RSA_NO_PADDING }, pssEncoded(key, digest));
  const padding = constants.RSA_PKCS1_PADDING;
  return privateEncrypt({ key, padding }, Buffer.concat([DIGEST_INFO, digest]));
}

/** The DER before a SHA-256 digest (RFC 8017 section 9.2, note 1). */
const DIGEST_INFO = Buffer.from('3031300d060960864801650304020105000420', 'hex');
const SALT_BYTES = 32;

/** EMSA-PSS-ENCODE of RFC 8017 section 9.1.1, for a key whose length is a multiple of 8 bits. */
function pssEncoded(key: KeyObject, digest: Buffer): Buffer {
  const length = (key.asymmetricKeyDetails?.modulusLength ?? 0) / 8;
  const salt = randomBytes(SALT_BYTES);
  const hash = sha256(Buffer.alloc(8), digest, salt);
  const block = Buffer.alloc(length - hash.length - 1);
  block[block.length - SALT_BYTES - 1] = 1;
  salt.copy(block, block.length - SALT_BYTES);
  const bits = mask(hash, block.length);
  const masked = block.map((byte, at) => byte ^ (bits[at] ?? 0));
  masked[0] = (masked[0] ?? 0) & 0x7f;
  return Buffer.concat([masked, hash, Buffer.from([0xbc])]);
}

/** MGF1 of RFC 8017 appendix B.2.1. */
function mask(seed: Buffer, length: number): Buffer {
  const blocks = Array.from({ length: Math.ceil(length / 32) }, (_, counter) => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(counter);
    return sha256(seed, bytes);
  });
  return Buffer.concat(blocks).subarray(0, length);
}

function sha256(...parts: readonly Buffer[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}

/** The order of the base point of P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** FIPS 186-5 section 6.4.1, as two numbers of 32 bytes. */
function ecdsa(key: KeyObject, digest: Buffer): Buffer {
  const secret = number(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
  const ephemeral = createECDH('prime256v1');
  const point = ephemeral.generateKeys();
  const k = number(ephemeral.getPrivateKey());
  const r = number(point.subarray(1, 33)) % ORDER;
  const s = (power(k, ORDER - 2n) * ((number(digest) + r * secret) % ORDER)) % ORDER;
  return Buffer.from([r, s].map((each) => each.toString(16).padStart(64, '0')).join(''), 'hex');
}

function number(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

/** Modulo the order; with the order less 2 as the exponent, the inverse. */
function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let factor = base % ORDER;
  for (let left = exponent; left > 0n; left >>= 1n) {
    if (left & 1n) result = (result * factor) % ORDER;
    factor = (factor * factor) % ORDER;
  }
  return result;
}
