import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { flawOf } from '../../../lib/rotation/core/credentialValue.ts';

const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 });
const ec = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const pem = ec.privateKey.export({ format: 'pem', type: 'pkcs8' }).toString();
/** A DER sequence. */
function sequence(...content: readonly number[]): string {
  return Buffer.from([0x30, 0x82, content.length >> 8, content.length & 0xff, ...content]).toString('base64');
}
const BYTES = Array.from({ length: 900 }, (_, index) => index % 251);

describe('a private key is never sent', () => {
  test.each([
    ['PEM', pem],
    ['PEM of the older form', rsa.privateKey.export({ format: 'pem', type: 'pkcs1' }).toString()],
    ['PEM in one line', pem.replaceAll('\n', ' ')],
    ['PEM with written line ends', pem.replaceAll('\n', '\\n')],
    ['the base64 of PEM', Buffer.from(pem).toString('base64')],
    ['an RSA key as DER', rsa.privateKey.export({ format: 'der', type: 'pkcs8' }).toString('base64')],
    ['an elliptic key as DER', ec.privateKey.export({ format: 'der', type: 'sec1' }).toString('base64')],
    ['a PKCS #12 archive', sequence(2, 1, 3, ...BYTES)],
    ['a PKCS #12 archive of open length', Buffer.from([0x30, 0x80, 2, 1, 3, ...BYTES]).toString('base64')],
    ['JWK', JSON.stringify(ec.privateKey.export({ format: 'jwk' }))],
  ])('%s', (_, value) => expect(flawOf(value)).toBe('is a private key, which is never sent'));

  test.each([
    ['another DER structure', sequence(6, 9, 42, ...BYTES)],
    ['text that begins like DER', `MIIB${'A'.repeat(1200)}`],
    ['a short one', 'MC4C'],
    ['a token', 'M.C5_BAY.0.U.-Cq'],
  ])('but %s is', (_, value) => expect(flawOf(value)).toBeUndefined());
});
