import { describe, expect, test } from 'vitest';
import { tokenAddress } from '../../../lib/oauth/tokenAddress.ts';

describe('where secrets may be sent', () => {
  const allowed = [
    'https://login.example.com/token',
    'https://127.0.0.1/token',
    'https://x.example:8443/t?a=b',
  ];
  test.each(allowed)('%s is allowed', (uri) => {
    expect(tokenAddress(uri, false)).toBeInstanceOf(URL);
  });

  const loopback = [
    'http://localhost:1/t',
    'http://127.0.0.1:1/t',
    'http://[::1]:1/t',
    'http://2130706433/t',
  ];
  test.each(loopback)('%s is allowed for the local stack and refused otherwise', (uri) => {
    expect(tokenAddress(uri, true)).toBeInstanceOf(URL);
    expect(tokenAddress(uri, false)).toMatchObject({ class: 'misconfigured' });
  });

  const refused = {
    'http to another machine': 'http://login.example.com/token',
    'http to a name that only looks like this machine': 'http://localhost.example.com/token',
    'http to a name that begins like a loopback address': 'http://127.0.0.1.example.com/token',
    'http to any interface': 'http://0.0.0.0/token',
    'another protocol': 'file:///etc/passwd',
    'user info': 'https://user:canary@login.example.com/token',
    'a fragment': 'https://login.example.com/token#canary',
    'text that is not an address': 'POST https://canary.example/token',
    'an empty text': '',
  };
  test.each(Object.entries(refused))(
    '%s is refused, with a fix and without showing the address',
    (_, uri) => {
      const failure = tokenAddress(uri, true);
      expect(failure).toMatchObject({ class: 'misconfigured', code: 'misconfigured' });
      expect(failure).toHaveProperty('fix', expect.stringContaining('tokenUri'));
      expect(JSON.stringify(failure)).not.toContain('canary');
    },
  );
});
