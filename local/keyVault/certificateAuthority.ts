import { KeyObject, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;
const AUTHORITY = 'CN=Key Vault Token Rotator local CA';

/** A certificate authority that exists in this process only; it never exposes its key. */
export interface CertificateAuthority {
  /** PEM of the certificate that clients must trust. */
  readonly caCertificate: string;
  /** Makes a server certificate for host names and IP addresses. */
  issue(hosts: readonly string[]): Promise<{ key: string; cert: string }>;
}

/** Makes a certificate authority, so that clients that require TLS can use the local stack. */
export async function createCertificateAuthority(): Promise<CertificateAuthority> {
  const authority = await newKeys();
  const certify = async (
    subject: string,
    publicKey: webcrypto.CryptoKey,
    extensions: readonly Extension[],
  ) => {
    const certificate = await X509CertificateGenerator.create({
      subject,
      issuer: AUTHORITY,
      publicKey,
      signingKey: authority.privateKey,
      signingAlgorithm: SIGNATURE,
      // The validity starts an hour ago, for clients in containers whose clocks lag; every client accepts one year.
      notBefore: new Date(Date.now() - HOUR_MS),
      notAfter: new Date(Date.now() + 365 * DAY_MS),
      extensions: [
        ...extensions,
        // RFC 5280 requires both. Clients that check strictly (Python from 3.13 on) refuse a certificate chain without them.
        await SubjectKeyIdentifierExtension.create(publicKey),
        await AuthorityKeyIdentifierExtension.create(authority.publicKey),
      ],
    });
    return `${certificate.toString('pem')}\n`;
  };
  return {
    caCertificate: await certify(AUTHORITY, authority.publicKey, [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
    ]),
    async issue(hosts) {
      const { privateKey, publicKey } = await newKeys();
      const key = KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
      return { key, cert: await certify(`CN=${hosts[0]}`, publicKey, serverExtensions(hosts)) };
    },
  };
}

function newKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(CURVE, true, ['sign', 'verify']);
}

function serverExtensions(hosts: readonly string[]): Extension[] {
  return [
    new BasicConstraintsExtension(false, undefined, true),
    new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
    new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
    new SubjectAlternativeNameExtension(
      hosts.map((value) => ({ type: isIP(value) === 0 ? 'dns' : 'ip', value })),
    ),
  ];
}
