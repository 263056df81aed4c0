import { describe, expect, it } from 'vitest';
import { API, put, send, startVault } from './support.ts';

const CANARY = 'canary-3f9c';

describe('refuses bad input with 400 BadParameter, stores nothing and repeats no value', () => {
  it.each([
    ['no value', { contentType: 'text/plain' }],
    ['a value that is not a string', { value: 7 }],
    ['a value of 25601 bytes', { value: 'x'.repeat(25_601) }],
    ['a value of few characters and too many bytes', { value: '€'.repeat(8534) }],
    ['a content type that is not a string', { value: CANARY, contentType: {} }],
    ['a tag that is not a string', { value: CANARY, tags: { tag: 1 } }],
    ['tags in a list', { value: CANARY, tags: ['tag'] }],
    ['attributes that are not an object', { value: CANARY, attributes: 'enabled' }],
    ['enabled that is not a boolean', { value: CANARY, attributes: { enabled: 'yes' } }],
    ['an expiry with a fraction', { value: CANARY, attributes: { exp: 1.5 } }],
    ['a not-before in text', { value: CANARY, attributes: { nbf: '1' } }],
    ['a list at the top', [CANARY]],
    ['null at the top', null],
  ])('%s', async (_, body) => {
    const vault = await startVault();
    const response = await put(`${vault.url}/secrets/token?${API}`, body);
    expect(response).toMatchObject({ status: 400, json: { error: { code: 'BadParameter' } } });
    expect(JSON.stringify(response.json)).not.toContain(CANARY);
    expect(vault.issuedValues()).toEqual([]);
    expect(vault.requests).toMatchObject([{ status: 400, executed: false }]);
  });

  it.each([
    ['nothing', ''],
    ['half of a body', `{"value":"${CANARY}`],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d])],
    ['a nesting of 100,000', '['.repeat(100_000)],
    ['more than 512 KB', `{"value":"${'x'.repeat(600_000)}"}`],
  ])('%s', async (_, body) => {
    const vault = await startVault();
    const response = await send(`${vault.url}/secrets/token?${API}`, { method: 'PUT', body });
    expect(response).toMatchObject({ status: 400, json: { error: { code: 'BadParameter' } } });
    expect(JSON.stringify(response.json)).not.toContain(CANARY);
  });

  it.each([['a_b'], ['a.b'], ['a%2Fb'], ['a%0D%0Ab'], ['%00'], ['n'.repeat(128)], ['%E0%A4%A']])(
    'the name %s',
    async (name) => {
      const vault = await startVault();
      const response = await put(`${vault.url}/secrets/${name}?${API}`, { value: CANARY });
      expect(response).toMatchObject({ status: 400, json: { error: { code: 'BadParameter' } } });
      expect(vault.issuedValues()).toEqual([]);
    },
  );

  it.each([
    ['no api-version', ''],
    ['an empty api-version', 'api-version='],
    ['an api-version of another form', 'api-version=latest'],
    ['maxresults 0', `${API}&maxresults=0`],
    ['maxresults 26', `${API}&maxresults=26`],
    ['maxresults in words', `${API}&maxresults=ten`],
    ['a made-up skip token', `${API}&$skiptoken=abc`],
  ])('%s', async (_, query) => {
    const vault = await startVault();
    const response = await send(`${vault.url}/secrets?${query}`);
    expect(response).toMatchObject({ status: 400, json: { error: { code: 'BadParameter' } } });
  });
});

describe('stores input that is just within the limits', () => {
  it.each([
    ['a value of 25600 bytes, every byte of it escaped', { value: '\u0001'.repeat(25_600) }],
    ['a tag named __proto__', { value: 'v', tags: JSON.parse('{"__proto__":"tag"}') }],
    ['nulls for what may be absent', { value: 'v', tags: null, contentType: null, attributes: null }],
    ['a null attribute', { value: 'v', attributes: { exp: null, enabled: null } }],
  ])('%s', async (_, body) => {
    const vault = await startVault();
    const address = `${vault.url}/secrets/${'n'.repeat(127)}`;
    expect((await put(`${address}?${API}`, body)).status).toBe(200);
    const { json } = await send(`${address}?${API}`);
    expect(json.value).toBe(body.value);
    expect(Object.entries(json.tags ?? {})).toEqual(Object.entries(('tags' in body && body.tags) || {}));
  });
});

describe('request lines', () => {
  it('accepts a trailing slash, a doubled slash, an encoded api-version and any case of the collection', async () => {
    const vault = await startVault();
    await put(`${vault.url}//secrets/token?${API}`, { value: 'value' });
    for (const path of ['/secrets/token/?', '//Secrets/token?', '/secrets/tok%65n/?']) {
      const response = await send(`${vault.url}${path}api%2Dversion=2026-04-01`);
      expect(response).toMatchObject({ status: 200, json: { value: 'value' } });
    }
  });

  it.each([
    ['GET', '/', 404],
    ['GET', '/storage/token', 404],
    ['GET', '/secrets/a/b/c', 404],
    ['POST', '/secrets/token', 405],
    ['PUT', '/secrets', 405],
    ['HEAD', '/secrets/token', 405],
  ])('responds to %s %s with %i and records it as unknown', async (method, path, status) => {
    const vault = await startVault();
    expect((await send(`${vault.url}${path}?${API}`, { method })).status).toBe(status);
    expect(vault.requests).toMatchObject([{ method, path, operation: 'unknown', status }]);
  });

  it('returns the request id of the client and forbids caching of every response', async () => {
    const vault = await startVault();
    const headers = { 'x-ms-client-request-id': 'mine' };
    const response = await send(`${vault.url}/secrets?${API}`, { headers });
    expect(response.headers).toMatchObject({ 'x-ms-client-request-id': 'mine', 'cache-control': 'no-cache' });
    expect(response.headers['x-ms-request-id']).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('builds ids from the address that the caller used', async () => {
    const vault = await startVault();
    await put(`${vault.url}/secrets/token?${API}`, { value: 'value' });
    const named = await send(`${vault.url}/secrets/token?${API}`, { headers: { host: 'localhost:8443' } });
    expect(named.json.id).toMatch(/^http:\/\/localhost:8443\/secrets\/token\//);
  });
});
