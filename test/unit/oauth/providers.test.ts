import { describe, expect, test } from 'vitest';
import { providers } from '../../../lib/oauth/providers/index.ts';

const { dynamics365, entra, generic, okta } = providers;

describe('provider profiles', () => {
  test('each stands under its own name and cites a page', () => {
    for (const [id, profile] of Object.entries(providers)) {
      expect(profile.id).toBe(id);
      expect(profile.source).toMatch(/^https:\/\//);
    }
  });

  test('each either knows its token endpoint or asks for it', () => {
    for (const { tokenUri, needs } of Object.values(providers)) {
      expect(needs.includes('tokenUri')).toBe(tokenUri === undefined);
    }
  });

  test('Entra: the token endpoint holds the tenant, escaped', () => {
    expect(entra.tokenUri?.({ tenant: 'contoso.com' })).toBe(
      'https://login.microsoftonline.com/contoso.com/oauth2/v2.0/token',
    );
    expect(entra.tokenUri?.({})).toContain('/organizations/');
    expect(entra.tokenUri?.({ tenant: '../evil?' })).toContain('/..%2Fevil%3F/');
  });

  test('Entra: offline_access is always asked for, because only then comes a new refresh token', () => {
    expect(entra.parameters({ scope: 'User.Read' })).toEqual({ scope: 'User.Read offline_access' });
    expect(entra.parameters({ scope: 'offline_access  User.Read' })).toEqual({
      scope: 'offline_access User.Read',
    });
    expect(entra.parameters({})).toEqual({});
  });

  test('Dynamics 365: the scope follows from the origin of the service', () => {
    expect(
      dynamics365.parameters({ serviceUrl: 'https://contoso.crm4.dynamics.com/api/data/v9.2/?a=b' }),
    ).toEqual({
      scope: 'https://contoso.crm4.dynamics.com/.default offline_access',
    });
    expect(dynamics365.parameters({ serviceUrl: 'https://a.example', scope: 'b' })).toEqual({
      scope: 'b offline_access',
    });
    expect(dynamics365.parameters({})).toEqual({});
    expect(dynamics365.needs).toEqual(['serviceUrl']);
  });

  test('what a refresh token outlives', () => {
    const graces = [generic, okta, entra, dynamics365].map((profile) => profile.refreshTokenGraceMs);
    expect(graces).toEqual([0, 30_000, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY]);
  });

  test('others send the scope of the entry and nothing else', () => {
    expect(generic.parameters({ scope: 'a' })).toEqual({ scope: 'a' });
    expect(okta.parameters({ scope: '' })).toEqual({});
  });
});
