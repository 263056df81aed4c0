import { X509Certificate } from 'node:crypto';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createCertificateAuthority } from '../../../local/keyVault/certificateAuthority.ts';
import { startKeyVault } from '../../../local/keyVault/server.ts';
import { API, clientOf, collect, put, send, startVault } from './support.ts';

const HOSTS = ['localhost', '127.0.0.1'];

describe('TLS', () => {
  it('returns page links on the same origin to the real client', async () => {
    const vault = await startVault();
    const client = clientOf(vault);
    const names = Array.from({ length: 30 }, (_, index) => `secret-${index + 10}`);
    for (const name of names) await client.setSecret(name, name);
    expect((await collect(client.listPropertiesOfSecrets())).map(({ name }) => name)).toEqual(names);
  });

  it('shows the same secrets on both ports', async () => {
    const vault = await startVault();
    await put(`${vault.url}/secrets/token?${API}`, { value: 'value' });
    const response = await send(`${vault.tlsUrl}/secrets/token?${API}`, { ca: vault.ca });
    expect(response.json.value).toBe('value');
    expect(response.json.id.startsWith(vault.tlsUrl)).toBe(true);
  });

  it.each(HOSTS)('is trusted under the name %s', async (host) => {
    const vault = await startVault();
    const { port } = new URL(vault.tlsUrl);
    const response = await send(`https://${host}:${port}/secrets?${API}`, { ca: vault.ca });
    expect(response.status).toBe(200);
  });

  it('is refused by a client that does not know the authority', async () => {
    const vault = await startVault();
    const other = await createCertificateAuthority();
    const sent = send(`${vault.tlsUrl}/secrets?${API}`, { ca: other.caCertificate });
    await expect(sent).rejects.toThrow(/certificate/);
  });

  it('has no TLS address by default', async () => {
    const vault = await startKeyVault({ name: 'test-vault', authorize: () => [] });
    onTestFinished(() => vault.close());
    expect(vault).not.toHaveProperty('tlsUrl');
  });
});

describe('the certificate authority', () => {
  it('issues certificates with the names, usages and key identifiers that strict clients require', async () => {
    const authority = await createCertificateAuthority();
    const { key, cert } = await authority.issue(HOSTS);
    const root = new X509Certificate(authority.caCertificate);
    const server = new X509Certificate(cert);
    expect(root.ca).toBe(true);
    expect(root.verify(root.publicKey)).toBe(true);
    expect(server.ca).toBe(false);
    expect(server.checkIssued(root)).toBe(true);
    expect(server.verify(root.publicKey)).toBe(true);
    expect(server.subjectAltName).toBe('DNS:localhost, IP Address:127.0.0.1');
    expect(key).toContain('PRIVATE KEY');
    for (const certificate of [root, server]) {
      const der = certificate.raw.toString('hex');
      expect(der).toContain('0603551d0e');
      expect(der).toContain('0603551d23');
    }
  });
});
