import type { CallerRules } from '../lib/compose.ts';

/**
 * The header in which App Service authentication passes the caller's identity, as base64 of JSON. The platform removes any value
 * that a caller sends under this name.
 * https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
 */
export const PRINCIPAL_HEADER = 'x-ms-client-principal';

/** Node accepts 16 KB of headers in total by default, so the platform does not write a longer value than this. */
const LARGEST_PRINCIPAL = 64 * 1024;
/** The platform passes the claim `roles` under either name. */
const ROLE_CLAIMS: readonly unknown[] = [
  'roles',
  'http://schemas.microsoft.com/ws/2008/06/identity/claims/role',
];

const NOT_AUTHENTICATED = {
  code: 'unauthenticated',
  message: 'The request has no Entra ID identity.',
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
 * @param header value of `X-MS-CLIENT-PRINCIPAL`
 * @param rules undefined if the function key, which the platform has checked, is enough
 */
export function refusalOf(header: string | null, rules: CallerRules | undefined): Refusal | undefined {
  if (rules === undefined) return undefined;
  const { requiredRole, platformAuthenticates } = rules;
  if (!platformAuthenticates) {
    return {
      code: 'configuration_invalid',
      message:
        'REQUIRED_APP_ROLE is set, but App Service authentication is off, so any caller could claim a role.',
      fix: 'Turn on authentication (entraAuthentication of the deployment), or remove REQUIRED_APP_ROLE.',
    };
  }
  const roles = rolesOf(header);
  if (roles === undefined) return NOT_AUTHENTICATED;
  if (roles.includes(requiredRole)) return undefined;
  return {
    code: 'forbidden',
    message: `The caller does not have the app role ${requiredRole}.`,
    fix: `Assign ${requiredRole} to the caller in the enterprise application of the rotator, then get a new token.`,
  };
}

/** The caller's roles; undefined if the platform did not write the header. */
function rolesOf(header: string | null): unknown[] | undefined {
  const claims = claimsOf(header);
  if (!Array.isArray(claims)) return undefined;
  return claims.filter((claim) => ROLE_CLAIMS.includes(claim?.typ)).map(({ val }) => val);
}

function claimsOf(header: string | null): unknown {
  // Node's decoder stops at the first padding, so it would read only one of two headers joined by a comma.
  if (!header || header.length > LARGEST_PRINCIPAL || !/^[\w+/]+={0,2}$/.test(header)) return undefined;
  try {
    return JSON.parse(Buffer.from(header, 'base64').toString())?.claims;
  } catch {
    return undefined;
  }
}
