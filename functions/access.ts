import type { CallerRules } from '../lib/compose.ts';

/**
 * Who App Service authentication found the caller to be: base64 of JSON, and it removes what callers send under this name.
 * https://learn.microsoft.com/azure/app-service/configure-authentication-user-identities
 */
export const PRINCIPAL_HEADER = 'x-ms-client-principal';

/** Node takes headers of 16 KB in all, unless told otherwise; more than this is none of the platform's. */
const LARGEST_PRINCIPAL = 64 * 1024;
/** The platform passes the claim `roles` on under either name. */
const ROLE_CLAIMS: readonly unknown[] = [
  'roles',
  'http://schemas.microsoft.com/ws/2008/06/identity/claims/role',
];

const NOT_AUTHENTICATED = {
  code: 'unauthenticated',
  message: 'The call carries no identity of Entra ID.',
  fix: 'Get a token for the app registration of the rotator, and send it as Authorization: Bearer.',
} as const;

/** Why a call is refused. */
export type Refusal = {
  readonly code: 'unauthenticated' | 'forbidden' | 'configuration_invalid';
  readonly message: string;
  readonly fix: string;
};

/**
 * Tells why a caller may not call; undefined where it may.
 * @param header value of `X-MS-CLIENT-PRINCIPAL`
 * @param rules undefined: the key, which the platform has checked, is enough
 */
export function refusalOf(header: string | null, rules: CallerRules | undefined): Refusal | undefined {
  if (rules === undefined) return undefined;
  const { requiredRole, platformAuthenticates } = rules;
  if (!platformAuthenticates) {
    return {
      code: 'configuration_invalid',
      message: 'REQUIRED_APP_ROLE is set, but App Service authentication is off: anybody could claim a role.',
      fix: 'Switch authentication on (entraAuthentication of the deployment), or remove REQUIRED_APP_ROLE.',
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

/** Undefined where the header is none that the platform writes. */
function rolesOf(header: string | null): unknown[] | undefined {
  const claims = claimsOf(header);
  if (!Array.isArray(claims)) return undefined;
  return claims.filter((claim) => ROLE_CLAIMS.includes(claim?.typ)).map(({ val }) => val);
}

function claimsOf(header: string | null): unknown {
  // Node's own decoder stops at the first padding: of two headers joined by a comma it would read one.
  if (!header || header.length > LARGEST_PRINCIPAL || !/^[\w+/]+={0,2}$/.test(header)) return undefined;
  try {
    return JSON.parse(Buffer.from(header, 'base64').toString())?.claims;
  } catch {
    return undefined;
  }
}
