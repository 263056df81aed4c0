import { createHash, sign, X509Certificate } from 'node:crypto';

const SEQUENCE = 0x30;
const EXTENSIONS = 0xa3;
const BIT_STRING = 0x03;
const OCTET_STRING = 0x04;
const SUBJECT_KEY_IDENTIFIER = Buffer.from('0603551d0e', 'hex');
const AUTHORITY_KEY_IDENTIFIER = Buffer.from('0603551d23', 'hex');

/**
 * Adds the subject and authority key identifiers to a certificate and signs it again. RFC 5280 asks for both,
 * selfsigned writes neither, and clients that check strictly (Python from 3.13 on) refuse a chain without them.
 */
export function addKeyIdentifiers(certificate: string, issuer: { key: string; certificate: string }): string {
  const [body, algorithm] = children(new X509Certificate(certificate).raw);
  const fields = body && children(body);
  const extensions = fields?.at(-1);
  const list = extensions && children(extensions)[0];
  if (!fields || !algorithm || !list || extensions[0] !== EXTENSIONS) {
    throw new Error('A certificate with extensions was expected.');
  }
  const added = [subjectKeyIdentifier(certificate), authorityKeyIdentifier(issuer.certificate)];
  const extended = encode(EXTENSIONS, [encode(SEQUENCE, [...children(list), ...added])]);
  const signable = encode(SEQUENCE, [...fields.slice(0, -1), extended]);
  const signature = encode(BIT_STRING, [Buffer.of(0), sign('sha256', signable, issuer.key)]);
  return pem(encode(SEQUENCE, [signable, algorithm, signature]));
}

function subjectKeyIdentifier(certificate: string): Buffer {
  const identifier = encode(OCTET_STRING, [keyIdentifier(certificate)]);
  return encode(SEQUENCE, [SUBJECT_KEY_IDENTIFIER, encode(OCTET_STRING, [identifier])]);
}

function authorityKeyIdentifier(certificate: string): Buffer {
  const identifier = encode(SEQUENCE, [encode(0x80, [keyIdentifier(certificate)])]);
  return encode(SEQUENCE, [AUTHORITY_KEY_IDENTIFIER, encode(OCTET_STRING, [identifier])]);
}

function keyIdentifier(certificate: string): Buffer {
  // Any value that is the same for the same key will do (RFC 7093): 160 bits of a SHA-256.
  const key = new X509Certificate(certificate).publicKey.export({ type: 'spki', format: 'der' });
  return createHash('sha256').update(key).digest().subarray(0, 20);
}

/** The elements inside a DER element, each with its own tag and length. */
function children(element: Buffer): Buffer[] {
  const content = element.subarray(headerLength(element, 0));
  const found: Buffer[] = [];
  for (let offset = 0; offset < content.length; ) {
    const end = offset + headerLength(content, offset) + contentLength(content, offset);
    found.push(content.subarray(offset, end));
    offset = end;
  }
  return found;
}

function headerLength(bytes: Buffer, offset: number): number {
  const first = bytes.readUInt8(offset + 1);
  return first < 0x80 ? 2 : 2 + (first & 0x7f);
}

function contentLength(bytes: Buffer, offset: number): number {
  const first = bytes.readUInt8(offset + 1);
  return first < 0x80 ? first : bytes.readUIntBE(offset + 2, first & 0x7f);
}

function encode(tag: number, parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  if (content.length < 0x80) return Buffer.concat([Buffer.of(tag, content.length), content]);
  const hex = content.length.toString(16);
  const length = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  return Buffer.concat([Buffer.of(tag, 0x80 | length.length), length, content]);
}

function pem(certificate: Buffer): string {
  const lines = certificate.toString('base64').match(/.{1,64}/g) ?? [];
  return ['-----BEGIN CERTIFICATE-----', ...lines, '-----END CERTIFICATE-----', ''].join('\n');
}
