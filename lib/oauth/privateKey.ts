import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { RotatorError } from '../errors.ts';
import type { ClientKey, Connection, SigningAlgorithm } from '../rotation/core/connection.ts';
import type { ReadClientKey, Secret, VaultKey } from '../rotation/ports.ts';

/** A private key that can sign. */
interface PrivateKey {
  readonly privateKey: KeyObject;
  readonly type: VaultKey['type'];
  /** Of the certificate beside the key: the SHA-256 digest of its DER, base64url. */
  readonly thumbprint: string | undefined;
}

/** The shortest RSA key in bits (RFC 7518 section 3.3). */
const SHORTEST_RSA = 2048;

const CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const PRIVATE_KEY = /-----BEGIN ((?:RSA |EC )?PRIVATE KEY)-----[^-]+-----END \1-----/;
const BEGINNING = /-----BEGIN (?:RSA |EC )?PRIVATE KEY-----/;
/** As PKCS #8, or as OpenSSL wrote keys before that. */
const ENCRYPTED = /-----BEGIN ENCRYPTED PRIVATE KEY-----|^Proc-Type: 4,ENCRYPTED/m;
/** Base64 without the lines around it. */
const BARE = /^[A-Za-z0-9+/=\s]+$/;

/**
 * The private key in a secret: PEM, with the certificate that belongs to it if there is one, as Key Vault stores certificates of the
 * content type `application/x-pem-file`.
 * @throws RotatorError `key_unusable`; it shows nothing of the secret
 */
export function readPrivateKey(
  connection: Connection,
  key: ClientKey,
  secret: Secret,
  now: number,
): PrivateKey {
  const { value } = secret;
  const unusable = (flaw: Flaw) => keyUnusable(connection, { key, secret }, flaw);
  const pem = PRIVATE_KEY.exec(value)?.[0];
  if (pem === undefined || ENCRYPTED.test(value)) throw unusable(flawOf(value, connection, key));
  const privateKey = parsed(() => createPrivateKey(pem));
  if (!privateKey) throw unusable({ what: 'holds a private key that cannot be read', fix: pemFix(key) });
  const type = typeOf(privateKey);
  if (!type)
    throw unusable({
      what: `holds a key of the type ${nameOf(privateKey)}, with which the rotator does not sign`,
      fix: `Set ${key.name} to an RSA key of at least ${SHORTEST_RSA} bits or an elliptic key with the curve P-256, and register it at the provider.`,
    });
  const size = privateKey.asymmetricKeyDetails?.modulusLength;
  if (size !== undefined && size < SHORTEST_RSA)
    throw unusable({
      what: `holds an RSA key of ${size} bits`,
      fix: `Set ${key.name} to a key of at least ${SHORTEST_RSA} bits, and register it at the provider.`,
    });
  const certificates = (value.match(CERTIFICATE) ?? []).flatMap(
    (each) => parsed(() => new X509Certificate(each)) ?? [],
  );
  const own = certificates.find((each) => each.checkPrivateKey(privateKey));
  if (certificates.length > 0 && !own)
    throw unusable({
      what: 'holds a certificate that belongs to another private key',
      fix: `Set ${key.name} to the private key and the certificate that belong together.`,
    });
  if (own && own.validToDate.getTime() <= now)
    throw unusable({
      what: `holds a certificate that expired on ${own.validToDate.toISOString().slice(0, 10)}`,
      fix: `Set ${key.name} to a new private key and certificate, and register the certificate at the provider.`,
    });
  const thumbprint = own && Buffer.from(own.fingerprint256.replaceAll(':', ''), 'hex').toString('base64url');
  return { privateKey, type, thumbprint };
}

/**
 * The algorithm for a key: the one that the entry names, if it fits.
 * @throws RotatorError `key_unusable`
 */
export function algorithmOf(
  connection: Connection,
  read: ReadClientKey,
  type: VaultKey['type'],
): SigningAlgorithm {
  const { algorithm = type === 'EC' ? 'ES256' : 'RS256', name } = read.key;
  const needed = algorithm === 'ES256' ? 'EC' : 'RSA';
  if (type === needed) return algorithm;
  const found = { RSA: 'an RSA key', EC: 'an elliptic key (P-256)', other: 'a key of another type' }[type];
  const wanted = needed === 'RSA' ? 'an RSA key' : 'an elliptic key with the curve P-256';
  throw keyUnusable(connection, read, {
    what: `has ${found}, and ${algorithm} needs ${wanted}`,
    fix: `Set algorithm in clientKey of ${connection.name} to one that fits ${name} (RS256 or PS256 for RSA, ES256 for P-256), or use another key.`,
  });
}

/** What is wrong with a key. */
interface Flaw {
  /** The end of a sentence, after the name of the key. */
  readonly what: string;
  /** Begins with a verb. */
  readonly fix: string;
}

/** A key that cannot sign. Another version of it clears the block. */
export function keyUnusable(
  { vaults }: Connection,
  { key: { kind, name }, secret, vaultKey }: ReadClientKey,
  { what, fix }: Flaw,
): RotatorError {
  const { version } = secret ?? vaultKey ?? { version: null };
  return new RotatorError(
    {
      code: 'key_unusable',
      message: `The ${kind} ${name} in ${vaults.credential} ${what}. Nothing was sent.`,
      fix: `${fix} The rotator detects the change.`,
    },
    { clearedBy: [{ secret: name, kind: kind === 'secret' ? undefined : kind, version }] },
  );
}

/** Why a text has no private key in PEM. */
function flawOf(value: string, { name: connection }: Connection, key: ClientKey): Flaw {
  const signs = `Set clientKey of ${connection} to {"certificate": "${key.name}"}, so that Key Vault signs`;
  if (ENCRYPTED.test(value))
    return {
      what: 'holds an encrypted private key',
      fix: `Set ${key.name} to the key without a passphrase, as openssl pkcs8 -topk8 -nocrypt writes it.`,
    };
  if (value.includes('-----BEGIN CERTIFICATE-----'))
    return {
      what: 'holds a certificate without its private key',
      fix: `${signs} with a key that cannot be exported, or set ${key.name} to the PEM of the private key.`,
    };
  if (value.includes('-----BEGIN OPENSSH PRIVATE KEY-----'))
    return {
      what: 'holds a private key in the format of OpenSSH, and the rotator reads PKCS #8',
      fix: `Set ${key.name} to the key that ssh-keygen -p -m PKCS8 -f KEY makes of a copy.`,
    };
  if (BEGINNING.test(value)) return { what: 'holds a private key without its end', fix: pemFix(key) };
  if (value.includes('-----BEGIN PUBLIC KEY-----'))
    return { what: 'holds a public key', fix: `Set ${key.name} to the PEM of the private key.` };
  const version = BARE.test(value) ? versionOf(Buffer.from(value, 'base64')) : undefined;
  if (version === 0 || version === 1)
    return {
      what: 'holds a private key without the first and the last line of PEM',
      fix: pemFix(key),
    };
  if (version === 3)
    return {
      what: 'holds a PKCS #12 archive, and the rotator reads PEM',
      fix: `${signs}, or issue the certificate with the content type application/x-pem-file.`,
    };
  return { what: 'does not hold a private key as PEM', fix: pemFix(key) };
}

/**
 * The version that a structure in DER begins with: 3 in a PKCS #12 archive (RFC 7292 section 4), 0 or 1 in a private key (RFC 5958
 * section 2, RFC 8017 appendix A.1.2, RFC 5915 section 3).
 * @returns undefined if it does not begin with one
 */
function versionOf(der: Uint8Array): number | undefined {
  const [sequence, length = 0] = der;
  // Long lengths have more bytes: X.690 section 8.1.3.5. OpenSSL and Windows may leave the length of an archive open.
  const start = length > 0x80 ? 2 + (length & 0x7f) : 2;
  const [integer, size, version] = der.subarray(start);
  return sequence === 0x30 && integer === 0x02 && size === 1 ? version : undefined;
}

function pemFix({ name }: ClientKey): string {
  return `Set ${name} to the whole PEM file, with its line breaks: az keyvault secret set --file KEY.pem.`;
}

function typeOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): 'RSA' | 'EC' | undefined {
  if (asymmetricKeyType === 'rsa') return 'RSA';
  return asymmetricKeyType === 'ec' && asymmetricKeyDetails?.namedCurve === 'prime256v1' ? 'EC' : undefined;
}

/** As OpenSSL names it: `ed25519`, `rsa-pss`, `ec secp384r1`. */
function nameOf({ asymmetricKeyType, asymmetricKeyDetails }: KeyObject): string {
  return [asymmetricKeyType, asymmetricKeyDetails?.namedCurve].filter(Boolean).join(' ');
}

/** The messages of the library may quote the key. */
function parsed<T>(parse: () => T): T | undefined {
  try {
    return parse();
  } catch {
    return undefined;
  }
}
