import { createPrivateKey, createPublicKey, generateKeyPairSync, type KeyObject, verify } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { createClientAssertions } from '../../../lib/oauth/clientAssertion.ts';
import type { ClientKey, Connection } from '../../../lib/rotation/core/connection.ts';
import type { ReadClientKey, VaultKey } from '../../../lib/rotation/ports.ts';
import { type LocalClientKey, newClientKey } from '../../../local/clientKeys.ts';
import { errorOf } from '../../support/thrown.ts';
import { connectionNamed } from '../rotation/world/connection.ts';

const NOW = Date.parse('2026-11-26T10:00:00Z');
const DAY_MS = 86_400_000;
const RSA = await newClientKey({ type: 'RSA', withCertificate: true, notAfter: NOW + DAY_MS });
const EC = await newClientKey({ type: 'EC' });

const assertions = createClientAssertions({
  keys: () => {
    throw new Error('The vault is not asked.');
  },
  federatedToken: async (audience) => `a token for ${audience}`,
  newId: () => 'the-id',
});

function inSecret(pem: string, more: Partial<ClientKey> = {}): ReadClientKey {
  const secret = { value: pem, version: 'v1', createdAt: 0, tags: {}, properties: {} };
  return { key: { kind: 'secret', name: 'crm-client-key', ...more }, secret };
}

function sign(key: ReadClientKey, changes: Partial<Connection> = {}): Promise<string> {
  return assertions.sign(connectionNamed('crm', changes), 'the client', key, NOW);
}

function partsOf(assertion: string) {
  const [header = '', claims = '', signature = ''] = assertion.split('.');
  const read = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
  return { header: read(header), claims: read(claims), input: `${header}.${claims}`, signature };
}

describe('an assertion', () => {
  test('has the claims of RFC 7523, and is valid for two minutes', async () => {
    const { claims } = partsOf(await sign(inSecret(EC.pem)));
    const at = NOW / 1000;
    expect(claims).toEqual({
      iss: 'the client',
      sub: 'the client',
      aud: 'https://login.example/token',
      jti: 'the-id',
      iat: at - 10,
      nbf: at - 10,
      exp: at + 120,
    });
  });

  test('is for the audience of the entry', async () => {
    const assertionAudience = 'https://login.example/';
    const { claims } = partsOf(await sign(inSecret(EC.pem), { assertionAudience }));
    expect(claims.aud).toBe(assertionAudience);
  });

  test('names its certificate, and the key as the provider knows it', async () => {
    const { header } = partsOf(await sign(inSecret(RSA.pem, { keyId: 'key-7' })));
    expect(header).toEqual({ alg: 'RS256', typ: 'JWT', kid: 'key-7', 'x5t#S256': RSA.thumbprint });
  });

  test('names no certificate and no key if there are none', async () => {
    expect(partsOf(await sign(inSecret(EC.pem))).header).toEqual({ alg: 'ES256', typ: 'JWT' });
  });

  test('names the certificate of its key, of several in the file', async () => {
    const other = await newClientKey({ type: 'EC', withCertificate: true });
    const [, certificate] = other.pem.split(/(?=-----BEGIN CERTIFICATE)/);
    const { header } = partsOf(await sign(inSecret(`${certificate}${RSA.pem}`)));
    expect(header['x5t#S256']).toBe(RSA.thumbprint);
  });

  const FORMS = {
    RS256: [RSA, {}],
    PS256: [RSA, { padding: 6, saltLength: 32 }],
    ES256: [EC, { dsaEncoding: 'ieee-p1363' }],
  } as const;
  test.each(Object.entries(FORMS))('is signed with %s', async (algorithm, [key, form]) => {
    const assertion = await sign(inSecret(key.pem, { algorithm: algorithm as keyof typeof FORMS }));
    const { header, input, signature } = partsOf(assertion);
    expect(header.alg).toBe(algorithm);
    const publicKey = createPublicKey({ key: key.jwk, format: 'jwk' });
    const bytes = Buffer.from(signature, 'base64url');
    expect(verify('sha256', Buffer.from(input), { key: publicKey, ...form }, bytes)).toBe(true);
  });

  test.each(['pkcs1', 'sec1'] as const)('is signed with a key in the form %s', async (type) => {
    const pem = createPrivateKey((type === 'pkcs1' ? RSA : EC).pem).export({ type, format: 'pem' });
    expect(await sign(inSecret(pem.toString()))).toMatch(/^eyJ/);
  });

  test('of a managed identity is its token for the audience', async () => {
    const connection = connectionNamed('crm', { assertionAudience: 'api://other' });
    expect(await assertions.federate(connection)).toBe('a token for api://other');
    expect(await assertions.federate(connectionNamed('crm'))).toBe('a token for undefined');
  });
});

const CERTIFICATE = RSA.pem.slice(RSA.pem.indexOf('-----BEGIN CERTIFICATE'));
const encrypted = (key: LocalClientKey, type: 'pkcs1' | 'pkcs8') =>
  key.privateKey
    .export({ type, format: 'pem', cipher: 'aes-256-cbc', passphrase: 'a passphrase' })
    .toString();
const pemOf = ({ privateKey }: { privateKey: KeyObject }) =>
  privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const small = () => pemOf(generateKeyPairSync('rsa', { modulusLength: 1024 }));
const otherCurve = () => pemOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }));
const ended = await newClientKey({ type: 'EC', withCertificate: true, notAfter: NOW - DAY_MS });
const mixed = await newClientKey({ type: 'EC' });

/** What the secret holds, the algorithm of the entry, the message and the fix. */
const UNUSABLE: Readonly<
  Record<string, readonly [pem: string, algorithm: ClientKey['algorithm'], what: string, fix: string]>
> = {
  'an encrypted key': [encrypted(RSA, 'pkcs8'), undefined, 'an encrypted private key', 'openssl pkcs8'],
  'an encrypted key of the older form': [
    encrypted(RSA, 'pkcs1'),
    undefined,
    'an encrypted private key',
    'Set crm-client-key to the key without a passphrase',
  ],
  'a certificate alone': [
    CERTIFICATE,
    undefined,
    'a certificate without its private key',
    'Set clientKey of crm to {"certificate": "crm-client-key"}',
  ],
  'an archive': [
    Buffer.concat([Buffer.from('30820a3c020103', 'hex'), Buffer.alloc(90, 1)]).toString('base64'),
    undefined,
    'a PKCS #12 archive',
    'application/x-pem-file',
  ],
  'an archive of open length': [
    Buffer.concat([Buffer.from('3080020103', 'hex'), Buffer.alloc(90, 1)]).toString('base64'),
    undefined,
    'a PKCS #12 archive',
    'application/x-pem-file',
  ],
  'a PKCS #8 key without the lines of PEM': [
    EC.pem.replace(/-----.*-----/g, '').trim(),
    undefined,
    'a private key without the first and the last line of PEM',
    'az keyvault secret set --file',
  ],
  'an elliptic key of OpenSSL without the lines of PEM': [
    Buffer.concat([Buffer.from('3077020101', 'hex'), Buffer.alloc(90, 1)]).toString('base64'),
    undefined,
    'a private key without the first and the last line of PEM',
    'az keyvault secret set --file',
  ],
  'other Base64 that looks like DER': [
    Buffer.concat([Buffer.from('3082', 'hex'), Buffer.alloc(90, 1)]).toString('base64'),
    undefined,
    'does not hold a private key',
    'az keyvault secret set --file',
  ],
  'some text': ['hunter2-hunter2', undefined, 'does not hold a private key', 'az keyvault secret set --file'],
  'a key on one line': [
    EC.pem.replaceAll('\n', ''),
    undefined,
    'a private key that cannot be read',
    'with its line breaks',
  ],
  'half a key': [EC.pem.slice(0, 80), undefined, 'a private key without its end', 'the whole PEM file'],
  'a public key': [
    createPublicKey(EC.pem).export({ type: 'spki', format: 'pem' }).toString(),
    undefined,
    'holds a public key',
    'the PEM of the private key',
  ],
  'a key of OpenSSH': [
    EC.pem.replaceAll(' PRIVATE', ' OPENSSH PRIVATE'),
    undefined,
    'the format of OpenSSH',
    'ssh-keygen -p -m PKCS8',
  ],
  'a short key': [small(), undefined, 'an RSA key of 1024 bits', 'at least 2048 bits'],
  'another curve': [otherCurve(), undefined, 'the type ec secp384r1', 'the curve P-256'],
  'an Edwards curve': [pemOf(generateKeyPairSync('ed25519')), undefined, 'the type ed25519', 'an RSA key'],
  'a key for PSS only': [
    pemOf(generateKeyPairSync('rsa-pss', { modulusLength: 2048 })),
    undefined,
    'the type rsa-pss',
    'an RSA key',
  ],
  'an elliptic key for RS256': [
    EC.pem,
    'RS256',
    'RS256 needs an RSA key',
    'Set algorithm in clientKey of crm',
  ],
  'an RSA key for ES256': [
    RSA.pem,
    'ES256',
    'ES256 needs an elliptic key',
    'Set algorithm in clientKey of crm',
  ],
  'an expired certificate': [
    ended.pem,
    undefined,
    'a certificate that expired on 2026-11-25',
    'a new private key',
  ],
  'the certificate of another key': [
    `${mixed.pem}${CERTIFICATE}`,
    undefined,
    'a certificate that belongs to another private key',
    'that belong together',
  ],
};

describe('a key that cannot sign', () => {
  test.each(Object.entries(UNUSABLE))('is refused with its fix, and not shown: %s', async (_, row) => {
    const [pem, algorithm, what, fix] = row;
    const error = await errorOf(sign(inSecret(pem, algorithm ? { algorithm } : {})));
    expect(error).toMatchObject({
      code: 'key_unusable',
      clearedBy: [{ secret: 'crm-client-key', version: 'v1' }],
    });
    expect(error.message).toContain('The secret crm-client-key in https://credentials.vault.example ');
    expect(error.message).toContain(what);
    expect(error.fix).toContain(fix);
    const text = JSON.stringify({ ...error, message: error.message });
    expect(text).not.toMatch(/hunter2|BEGIN/);
    for (const line of pem.split('\n').filter((each) => each.length > 20 && !each.startsWith('-')))
      expect(text).not.toContain(line.slice(0, 20));
  });

  const vaultKey: VaultKey = { version: 'v2', createdAt: 0, tags: {}, type: 'EC' };
  test.each([
    ['has expired', { ...vaultKey, expiresAt: NOW }, undefined, 'expired on 2026-11-26'],
    ['is of another type', { ...vaultKey, type: 'other' as const }, undefined, 'a key of another type'],
    ['does not fit the algorithm', vaultKey, 'PS256' as const, 'PS256 needs an RSA key'],
  ])('in the vault is not asked to sign if it %s', async (_, found, algorithm, what) => {
    const key = { kind: 'certificate', name: 'crm-client-key', ...(algorithm && { algorithm }) } as const;
    const error = await errorOf(sign({ key, vaultKey: found }));
    expect(error.message).toContain(what);
    expect(error).toMatchObject({
      code: 'key_unusable',
      clearedBy: [{ secret: 'crm-client-key', kind: 'certificate', version: 'v2' }],
    });
  });
});
