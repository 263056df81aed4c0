import { isIP } from 'node:net';
import { generate } from 'selfsigned';
import { addKeyIdentifiers } from './keyIdentifiers.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

type Options = NonNullable<Parameters<typeof generate>[1]>;
type Extensions = NonNullable<Options['extensions']>;

/** A certificate authority that lives in this process only; its key is never handed out. */
export interface CertificateAuthority {
  /** PEM of the certificate that clients are to trust. */
  readonly caCertificate: string;
  /** Makes a server certificate for host names and IP addresses. */
  issue(hosts: readonly string[]): Promise<{ key: string; cert: string }>;
}

/** Makes a certificate authority, so that clients that want TLS can use the local stack. */
export async function createCertificateAuthority(): Promise<CertificateAuthority> {
  const name = 'Key Vault Token Rotator local CA';
  const made = await makeCertificate(name, [
    { name: 'basicConstraints', cA: true, pathLenConstraint: 0, critical: true },
    { name: 'keyUsage', keyCertSign: true, cRLSign: true, critical: true },
  ]);
  const caCertificate = addKeyIdentifiers(made.cert, { key: made.private, certificate: made.cert });
  return {
    caCertificate,
    async issue(hosts) {
      const issuer = { key: made.private, certificate: caCertificate };
      const ca = { key: made.private, cert: caCertificate };
      const server = await makeCertificate(hosts[0] ?? 'localhost', serverExtensions(hosts), ca);
      return { key: server.private, cert: addKeyIdentifiers(server.cert, issuer) };
    },
  };
}

function makeCertificate(commonName: string, extensions: Extensions, ca?: Options['ca']) {
  return generate([{ name: 'commonName', value: commonName }], {
    keyType: 'ec',
    curve: 'P-256',
    algorithm: 'sha256',
    // An hour back, for clients in containers whose clocks lag; a year is what every client accepts.
    notBeforeDate: new Date(Date.now() - HOUR_MS),
    notAfterDate: new Date(Date.now() + 365 * DAY_MS),
    extensions,
    ...(ca ? { ca } : {}),
  });
}

function serverExtensions(hosts: readonly string[]): Extensions {
  const altNames = hosts.map((host) =>
    isIP(host) === 0 ? { type: 2 as const, value: host } : { type: 7 as const, ip: host },
  );
  return [
    { name: 'basicConstraints', cA: false, critical: true },
    { name: 'keyUsage', digitalSignature: true, critical: true },
    { name: 'extKeyUsage', serverAuth: true },
    { name: 'subjectAltName', altNames },
  ];
}
