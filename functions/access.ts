import type { CallerRules } from '../lib/compose.ts';

/**
 * The header in which App Service authentication passes the caller's identity, as base64 of JSON. The platform removes any value
 * that a caller sends under this name.
 * https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
 */
const PRINCIPAL_HEADER = 'x-ms-client-principal';
/** The header in which the platform names the identity provider. */
const PROVIDER_HEADER = 'x-ms-client-principal-idp';
/** How the platform calls Entra ID, in the header and in the principal. */
const ENTRA = 'aad';

/** Node accepts 16 KB of headers in total by default, so the platform does not write a longer value than this. */
const LARGEST_PRINCIPAL = 64 * 1024;
/** The platform passes the claim `roles` under either name. */
const ROLE_CLAIMS: readonly unknown[] = [
  'roles',
  'http://schemas.microsoft.com/ws/2008/06/identity/claims/role',
];

/**
 * The issuers of tokens of a tenant, version 2 and version 1, in each cloud.
 * https://learn.microsoft.com/entra/identity-platform/authentication-national-cloud
 */
const ISSUERS = (tenant: string): readonly unknown[] => [
  `https://login.microsoftonline.com/${tenant}/v2.0`,
  `https://login.microsoftonline.us/${tenant}/v2.0`,
  `https://login.partner.microsoftonline.cn/${tenant}/v2.0`,
  `https://sts.windows.net/${tenant}/`,
  `https://sts.chinacloudapi.cn/${tenant}/`,
];

const NOT_AUTHENTICATED = {
  code: 'unauthenticated',
  message: 'The request has no Entra ID identity of the tenant in REQUIRED_TENANT_ID.',
  fix: 'Get a token for the app registration of the rotator, and send it in the header Authorization: Bearer.',
} as const;

/** Why a request is refused. */
export type Refusal = {
  readonly code: 'unauthenticated' | 'forbidden' | 'configuration_invalid';
  readonly message: string;
  readonly fix: string;
};

/**
 * Returns why the caller is refused, or undefined if the caller is allowed.
 * @param headers of the request, as the platform passed it on
 * @param rules undefined if the function key, which the platform has checked, is enough
 */
export function refusalOf(
  headers: Pick<Headers, 'get'>,
  rules: CallerRules | undefined,
): Refusal | undefined {
  if (rules === undefined) return undefined;
  const { requiredRole, tenant, platformAuthenticates } = rules;
  if (!platformAuthenticates) {
    return {
      code: 'configuration_invalid',
      message:
        'REQUIRED_APP_ROLE is set, but App Service authentication is off, so any caller could claim a role.',
      fix: 'Turn on authentication (entraAuthentication of the deployment), or remove REQUIRED_APP_ROLE.',
    };
  }
  if (tenant === undefined) {
    return {
      code: 'configuration_invalid',
      message: 'REQUIRED_APP_ROLE is set, but REQUIRED_TENANT_ID is not the id of an Entra tenant.',
      fix: 'Set REQUIRED_TENANT_ID to the id of the tenant of the app registration, or remove REQUIRED_APP_ROLE.',
    };
  }
  const roles = rolesOf(headers, tenant);
  if (roles === undefined) return NOT_AUTHENTICATED;
  if (roles.includes(requiredRole)) return undefined;
  return {
    code: 'forbidden',
    message: `The caller does not have the app role ${requiredRole}.`,
    fix: `Assign ${requiredRole} to the caller in the enterprise application of the rotator, then get a new token.`,
  };
}

/**
 * The caller's roles; undefined if the platform did not write the headers, or if the identity is not one of the tenant: App Service
 * can have several identity providers, and each of them may issue a claim `roles`.
 */
function rolesOf(headers: Pick<Headers, 'get'>, tenant: string): unknown[] | undefined {
  const { auth_typ: provider, claims } = principalOf(headers.get(PRINCIPAL_HEADER)) ?? {};
  if (headers.get(PROVIDER_HEADER) !== ENTRA || provider !== ENTRA || !Array.isArray(claims))
    return undefined;
  const issuers = claims.filter((claim) => claim?.typ === 'iss').map(({ val }) => val);
  const known = ISSUERS(tenant);
  if (issuers.length === 0 || !issuers.every((issuer) => known.includes(issuer))) return undefined;
  return claims.filter((claim) => ROLE_CLAIMS.includes(claim?.typ)).map(({ val }) => val);
}

function principalOf(header: string | null): { auth_typ?: unknown; claims?: unknown } | null | undefined {
  // Node's decoder stops at the first padding, so it would read only one of two headers joined by a comma.
  if (!header || header.length > LARGEST_PRINCIPAL || !/^[\w+/]+={0,2}$/.test(header)) return undefined;
  try {
    return JSON.parse(Buffer.from(header, 'base64').toString());
  } catch {
    return undefined;
  }
}
