import { describe, expect, it } from 'vitest';
import { parseConnections } from '../../../lib/config/parseConnections.ts';
import { FORMS } from '../../../lib/connectionString/forms.ts';
import { publishedSecrets } from '../../../lib/rotation/core/connection.ts';
import { CONTEXT, ENTRY, fileOf, shown } from './support.ts';

const SERVICE_URL = 'https://crm.example/api/data/v9.1/';
const CANARY = 'canary-5ba0';
const asking = (connectionString: unknown, more: object = {}) => ({
  ...ENTRY,
  serviceUrl: SERVICE_URL,
  publish: { connectionString },
  ...more,
});
const parse = (entries: object) => parseConnections(fileOf(entries), CONTEXT);

describe('a requested connection string', () => {
  it.each<[string, object, object, string]>([
    [
      "the driver's own with the access token",
      asking('accessToken'),
      { secret: 'one-connection-string', holds: 'accessToken', template: FORMS.accessToken },
      CONTEXT.tokenVaultUrl,
    ],
    [
      "the driver's own with the refresh token",
      asking('refreshToken', { refreshTokenGrace: 'unlimited' }),
      { secret: 'one-connection-string', holds: 'refreshToken', template: FORMS.refreshToken },
      CONTEXT.credentialVaultUrl,
    ],
    [
      'a template, under a name',
      asking(
        { syntax: 'raw', template: 'Authorization: Bearer {accessToken}' },
        { secrets: { connectionString: 'header' } },
      ),
      {
        secret: 'header',
        holds: 'accessToken',
        template: { syntax: 'raw', text: 'Authorization: Bearer {accessToken}' },
      },
      CONTEXT.tokenVaultUrl,
    ],
  ])('%s', (_, entry, connectionString, vault) => {
    const [connection] = parse({ one: entry }).valid;
    if (!connection) throw new Error('no connection');
    expect(connection).toMatchObject({ serviceUrl: SERVICE_URL, connectionString });
    const name = connection.connectionString?.secret;
    expect(publishedSecrets(connection)).toEqual([
      { key: 'accessToken', vault: CONTEXT.tokenVaultUrl, name: 'one-access-token' },
      { key: 'connectionString', vault, name },
    ]);
  });

  it('changes the fingerprint', () => {
    const prints = [ENTRY, asking('accessToken'), asking({ syntax: 'raw', template: '{accessToken}' })].map(
      (one) => parse({ one }).valid[0]?.fingerprint,
    );
    expect(new Set(prints).size).toBe(3);
  });
});

describe('a connection string that cannot be published', () => {
  const template = (text: string, syntax = 'odbc') => asking({ syntax, template: text });
  it.each<[string, object, string]>([
    [
      'another word',
      asking(CANARY),
      'publish.connectionString must be "accessToken", "refreshToken" or an object',
    ],
    ['an unknown syntax', template('{accessToken}', CANARY), 'publish.connectionString must be'],
    ['an empty template', template(''), 'publish.connectionString.template is empty'],
    [
      '10,001 characters',
      template('{accessToken}'.padEnd(10_001), 'raw'),
      'template is longer than 10,000 characters',
    ],
    [
      'an unknown key',
      { ...ENTRY, publish: { connectionStrings: 'x' } },
      'Rename connectionStrings to connectionString.',
    ],
    ['no template', template('A=1;'), 'publish.connectionString is a template without {accessToken}'],
    [
      'an unknown placeholder',
      template('A={accessToken};B={clientSecret};'),
      'has a word in braces that is not a placeholder; the placeholders are {accessToken}, {serviceUrl}',
    ],
    [
      'a text that is not valid in its syntax',
      template(`A={accessToken};${CANARY}`),
      `cannot be used. The ODBC connection string cannot be read: at character ${17 + CANARY.length} "="`,
    ],
    ['a literal secret', template(`T={accessToken};PWD=${CANARY};`), 'is a template with a secret in it'],
    [
      'no service address',
      asking('accessToken', { serviceUrl: undefined }),
      'publish.connectionString needs the serviceUrl of the entry, which is missing',
    ],
    [
      'refresh tokens that the driver would use up',
      asking('refreshToken', { refreshTokenGrace: 60 }),
      'is refreshToken, but a used refresh token becomes invalid',
    ],
    [
      'a secret name without a connection string',
      { ...ENTRY, secrets: { connectionString: 'x' } },
      'secrets.connectionString names a secret, but publish.connectionString is missing',
    ],
  ])('because of %s', (_, entry, words) => {
    const { valid, invalid } = parse({ bad: entry, good: ENTRY });
    expect(valid.map(({ name }) => name)).toEqual(['good']);
    const [problem] = invalid.map(({ problem }) => shown(problem));
    expect(problem).toContain('connections.bad.');
    expect(problem).toContain(words);
    expect(problem).not.toContain(CANARY);
  });

  it('because of a default name that is too long', () => {
    const name = 'n'.repeat(110);
    const { invalid } = parse({ [name]: asking('accessToken') });
    expect(invalid.map(({ problem }) => shown(problem)).join()).toContain(
      'secrets.connectionString is missing, and its default name would be too long',
    );
    const named = asking('accessToken', { secrets: { connectionString: 'short' } });
    expect(parse({ [name]: named }).invalid).toEqual([]);
  });

  it.each<[string, object, string]>([
    [
      'its own access token',
      { a: asking('accessToken', { secrets: { connectionString: 'A-access-token' } }) },
      'connections.a',
    ],
    [
      "another's connection string",
      {
        a: asking('accessToken', { secrets: { connectionString: 'x' } }),
        b: asking('accessToken', { secrets: { connectionString: 'x' } }),
      },
      'connections.b',
    ],
    [
      'its own refresh token',
      {
        a: asking('refreshToken', {
          refreshTokenGrace: 'unlimited',
          secrets: { connectionString: 'a-refresh-token' },
        }),
      },
      'connections.a',
    ],
  ])('because it would overwrite %s', (_, entries, other) => {
    const { valid, invalid } = parse(entries);
    expect(valid).toEqual([]);
    expect(invalid.map(({ problem }) => shown(problem)).join()).toContain(
      `secrets.connectionString names the same secret as ${other}.secrets.`,
    );
  });

  it('accepts a secret of the same name in another vault', () => {
    const entry = asking('accessToken', { secrets: { connectionString: 'a-refresh-token' } });
    expect(parse({ a: entry }).invalid).toEqual([]);
  });
});
