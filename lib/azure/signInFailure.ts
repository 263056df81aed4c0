/** The name of the identity library's error if a way is not set up. */
export const UNAVAILABLE = 'CredentialUnavailableError';

/** The ways to sign in to Azure, in the order in which they are tried: `identity` alone, or all others. */
export type Way = 'identity' | 'environment' | 'az' | 'azd' | 'powershell';
type Tool = Exclude<Way, 'identity' | 'environment'>;

/** What a user calls each way. */
export const WAYS: Readonly<Record<Way, string>> = {
  identity: 'the managed identity behind IDENTITY_ENDPOINT',
  environment: 'the AZURE_ variables of the environment',
  az: 'Azure CLI (az)',
  azd: 'Azure Developer CLI (azd)',
  powershell: 'Azure PowerShell',
};

/** One way that gave no token. */
export interface Attempt {
  readonly way: Way;
  /** What the identity library threw. */
  readonly thrown: unknown;
}

/** What the explanation depends on, in addition to the errors. */
export interface SignInContext {
  /** Variables by name, usually `process.env`. */
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Client id of the user-assigned managed identity; undefined for the system-assigned one. */
  readonly managedIdentityClientId?: string | undefined;
}

/** No token for Azure. Message and fix are safe to show: nothing of the library's errors but AADSTS numbers is in them. */
export class SignInFailed extends Error {
  override readonly name = 'SignInFailed';
  readonly fix: string;
  /** The sign-in service is down or overloaded: it recovers without an operator. */
  readonly passing: boolean;

  constructor({ what, fix, passing = false }: Pick<Reason, 'what' | 'fix' | 'passing'>) {
    super(what);
    this.fix = fix;
    this.passing = passing;
  }
}

/** Why one way failed. */
interface Reason {
  /** The end of a sentence, after the name of the way. */
  readonly what: string;
  readonly fix: string;
  readonly passing?: boolean;
  /** How likely an operator meant this way: 0 is a way that was not set up at all. */
  readonly weight: number;
}

const NOT_SET_UP = 0;
const NOT_SIGNED_IN = 1;
const INCOMPLETE = 2;
const REFUSED = 3;

/**
 * Explains why no way gave a token. Each case of the identity library's troubleshooting guide has its own fix:
 * https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/identity/identity/TROUBLESHOOTING.md
 * @param attempts at least one, in their order
 */
export function explainSignIn(attempts: readonly Attempt[], context: SignInContext): SignInFailed {
  const reasons = attempts.map(({ way, thrown }) => ({ way, ...reasonOf(way, thrown, context) }));
  const likely = reasons.toSorted((one, other) => other.weight - one.weight)[0];
  if (!likely || likely.weight === NOT_SET_UP)
    return new SignInFailed({
      what: 'no way to sign in to Azure is set up on this machine',
      fix: 'Install the Azure CLI and run az login.',
    });
  const others = reasons.filter((each) => each !== likely && each.weight > NOT_SET_UP);
  const named = [likely, ...others].map(({ way, what }) => `${WAYS[way]} ${what}`);
  return new SignInFailed({ ...likely, what: named.join('; ') });
}

function reasonOf(way: Way, thrown: unknown, context: SignInContext): Reason {
  if (way === 'identity') return identityReason(thrown, context);
  return way === 'environment' ? environmentReason(thrown, context) : toolReason(way, thrown);
}

const NOT_IN_AZURE = 'Outside Azure, unset IDENTITY_ENDPOINT to sign in with az login.';

/** The endpoint was asked because the environment names it, on a server of Azure as well as on a machine with Azure Arc. */
function identityReason(thrown: unknown, { env, managedIdentityClientId }: SignInContext): Reason {
  const { status, isNetwork } = causeOf(thrown);
  const weight = REFUSED;
  const text = textOf(thrown);
  const refused = refusal(text, IDENTITY_FIXES, (fix) => fix);
  if (refused) return status === 429 || status >= 500 ? { passing: true, ...refused } : refused;
  if (TRANSIENT_TEXT.test(text)) return busy('was refused');
  if (status === 502 || status === 504) {
    const fix = `Add the host of IDENTITY_ENDPOINT to NO_PROXY: requests to it must not go through a proxy. ${NOT_IN_AZURE}`;
    return { what: `did not respond (HTTP ${status} of a gateway)`, fix, passing: true, weight };
  }
  if (isNetwork || status === 429 || status >= 500) {
    const fix = `Wait a few minutes. If it continues, restart the app. ${NOT_IN_AZURE}`;
    return { what: 'did not respond', fix, passing: true, weight };
  }
  if (status === 401 || status === 403) {
    const fix =
      env.IMDS_ENDPOINT === undefined
        ? `Restart the app, so that it gets a managed identity endpoint with a new IDENTITY_HEADER. ${NOT_IN_AZURE}`
        : `Add your user to the group himds, whose members may use the managed identity of Azure Arc. ${NOT_IN_AZURE}`;
    return { what: `refused the request (HTTP ${status})`, fix, weight };
  }
  const fix = managedIdentityClientId
    ? `Assign the user-assigned managed identity to the app, or correct its client id in AZURE_CLIENT_ID. ${NOT_IN_AZURE}`
    : `Turn on the system-assigned managed identity of the app, or set AZURE_CLIENT_ID to the client id of an assigned one. ${NOT_IN_AZURE}`;
  const which = managedIdentityClientId ? 'with that client id' : 'of the app itself';
  return { what: `has no identity ${which}`, fix, weight };
}

const PRINCIPAL = ['AZURE_TENANT_ID', 'AZURE_CLIENT_ID'];
const PROOFS = ['AZURE_CLIENT_SECRET', 'AZURE_CLIENT_CERTIFICATE_PATH', 'AZURE_USERNAME'];
/** Without the tenant, the tools are asked. */
const OR_TOOL = 'Or unset AZURE_TENANT_ID to sign in with az login.';
const UNREACHABLE = /network_error|ENOTFOUND|ECONN|ETIMEDOUT|EAI_AGAIN|_TIMEOUT|status code: (429|5\d\d)/i;
const NO_METADATA = /endpoints_resolution_error|openid_config_error/;

function environmentReason(thrown: unknown, { env }: SignInContext): Reason {
  const text = textOf(thrown);
  const has = (name: string) => Boolean(env[name]);
  const weight = REFUSED;
  if (/^Invalid tenant id/i.test(text))
    return {
      what: 'have an AZURE_TENANT_ID that is not valid',
      fix: `Set AZURE_TENANT_ID to the id of the tenant. ${OR_TOOL}`,
      weight,
    };
  if (nameOf(thrown) === UNAVAILABLE) return incomplete(has);
  const refused = refusal(text, PRINCIPAL_FIXES, (fix) => `${fix} ${OR_TOOL}`);
  if (refused) return UNREACHABLE.test(text) ? { passing: true, ...refused } : refused;
  if (TRANSIENT_TEXT.test(text)) return busy('were refused');
  if (text.includes('not configured to acquire tokens for tenant'))
    return {
      what: 'name another tenant than that of the vault',
      fix: `Set AZURE_TENANT_ID to the tenant of the vault, or add that tenant to AZURE_ADDITIONALLY_ALLOWED_TENANTS. ${OR_TOOL}`,
      weight,
    };
  if (NO_METADATA.test(text) || UNREACHABLE.test(text)) {
    const tenant = NO_METADATA.test(text) ? ' Check AZURE_TENANT_ID and AZURE_AUTHORITY_HOST.' : '';
    return {
      what: 'were not checked: Microsoft Entra did not respond',
      fix: `Check that this machine reaches login.microsoftonline.com, if need be through the proxy in HTTPS_PROXY.${tenant}`,
      passing: true,
      weight,
    };
  }
  if (has('AZURE_CLIENT_CERTIFICATE_PATH') && !has('AZURE_CLIENT_SECRET'))
    return {
      what: 'name a certificate that cannot be read',
      fix: `Set AZURE_CLIENT_CERTIFICATE_PATH to a PEM file with the certificate and its private key, and AZURE_CLIENT_CERTIFICATE_PASSWORD to its password if it has one. ${OR_TOOL}`,
      weight,
    };
  return {
    what: 'were refused',
    fix: `Correct AZURE_TENANT_ID, AZURE_CLIENT_ID and the client secret in AZURE_CLIENT_SECRET. ${OR_TOOL}`,
    weight,
  };
}

/** AZURE_CLIENT_ID alone is a setting of the rotator, for its managed identity. */
function incomplete(has: (name: string) => boolean): Reason {
  const begun = ['AZURE_TENANT_ID', ...PROOFS].some(has);
  if (!begun) return { what: 'are not set', fix: '', weight: NOT_SET_UP };
  const missing = PRINCIPAL.filter((name) => !has(name));
  if (has('AZURE_USERNAME') && !has('AZURE_PASSWORD')) missing.push('AZURE_PASSWORD');
  else if (!PROOFS.some(has)) missing.push('AZURE_CLIENT_SECRET');
  const names = missing.join(' and ');
  return {
    what: `are incomplete without ${names}`,
    fix: `Set ${names}, or unset the other AZURE_ variables and run az login.`,
    weight: INCOMPLETE,
  };
}

const TOOLS: Readonly<
  Record<Tool, { absent: RegExp; signedOut: RegExp; login: string; tenant: string; other: string }>
> = {
  az: {
    absent: /could not be found/,
    signedOut: /Please run 'az login'/,
    login: 'az login',
    tenant: '--tenant',
    other: 'Run az account show, and az login if it fails.',
  },
  azd: {
    absent: /couldn't be found/,
    signedOut: /Please run 'azd auth login'/,
    login: 'azd auth login',
    tenant: '--tenant-id',
    other: 'Run azd auth login --check-status, and azd auth login if it fails.',
  },
  powershell: {
    absent: /Unable to execute PowerShell/,
    signedOut: /Please run 'Connect-AzAccount'/,
    login: 'Connect-AzAccount',
    tenant: '-Tenant',
    other: 'Run Get-AzContext, and Connect-AzAccount if it shows no account.',
  },
};

function toolReason(tool: Tool, thrown: unknown): Reason {
  const text = textOf(thrown);
  const { absent, signedOut, login, tenant, other } = TOOLS[tool];
  if (absent.test(text)) return { what: 'is not installed', fix: '', weight: NOT_SET_UP };
  const refused = refusal(text, USER_FIXES, (fix) =>
    fix.replaceAll('{login}', login).replaceAll('{tenant}', tenant),
  );
  if (refused) return refused;
  if (TRANSIENT_TEXT.test(text)) return busy('was refused');
  if (signedOut.test(text)) return { what: 'is not signed in', fix: `Run ${login}.`, weight: NOT_SIGNED_IN };
  if (text.includes('Az.Account'))
    return {
      what: 'lacks the module Az.Accounts',
      fix: 'Run Install-Module -Name Az.Accounts -MinimumVersion 2.2.0 -Scope CurrentUser, then Connect-AzAccount.',
      weight: NOT_SIGNED_IN,
    };
  if (text.includes('claims challenges'))
    return {
      what: 'needs multi-factor authentication',
      fix: `Run ${login} again, with the scope https://vault.azure.net/.default.`,
      weight: REFUSED,
    };
  return { what: 'failed', fix: other, weight: NOT_SIGNED_IN };
}

interface Refusals {
  readonly [number: number]: readonly [what: string, fix: string];
}

const WRONG_APPLICATION = [
  'the tenant has no such application',
  'Correct AZURE_CLIENT_ID and AZURE_TENANT_ID, or have an administrator add the application to the tenant.',
] as const;
const NO_TENANT = 'the tenant does not exist';
const WRONG_TENANT = [NO_TENANT, 'Correct AZURE_TENANT_ID.'] as const;
const WRONG_ASSERTION = [
  'the assertion that the certificate signs is not accepted',
  'Use a certificate of the application in AZURE_CLIENT_ID, and correct AZURE_TENANT_ID.',
] as const;
const PASSWORD_NOT_ENOUGH = [
  'a password is not enough to sign in',
  'Unset AZURE_USERNAME and AZURE_PASSWORD, and use a client secret instead.',
] as const;

const TENANT_BLOCKED = [
  'the tenant is blocked',
  'Have an administrator of the tenant open a request with Microsoft support: the tenant is disabled, or was not used for months.',
] as const;
const APPLICATION_DISABLED = [
  'the application is disabled',
  'Enable the application in AZURE_CLIENT_ID in Entra.',
] as const;
const CERTIFICATE_ENDED = [
  'the certificate has expired, or is not valid',
  'Create a new certificate, upload it to the application in AZURE_CLIENT_ID, and set AZURE_CLIENT_CERTIFICATE_PATH to its file.',
] as const;
const FEDERATION = [
  'the application has no federated credential for this workload',
  'Add a federated credential with the issuer and the subject of this workload to the application in AZURE_CLIENT_ID.',
] as const;
const NOT_ASSIGNED = [
  'the application requires an assignment',
  'Assign the application or its app role in Entra, or set "Assignment required" of the enterprise application to no.',
] as const;
const NO_CONSENT = [
  'the application has no consent in the tenant',
  'Have an administrator of the tenant grant consent to the application in Entra.',
] as const;
const RESOURCE_DISABLED = [
  'the service principal of the service is disabled in the tenant',
  'Have an administrator enable the enterprise application that the sign-in logs of Entra name as the resource.',
] as const;
const TENANT_RESTRICTED = [
  'tenant restrictions of this network do not allow the tenant',
  'Have the owner of the proxy allow the tenant of the vault, or sign in from another network.',
] as const;
const APPLICATION_POLICY = [
  'a Conditional Access policy blocks the sign-in',
  'Find the policy in the sign-in logs of Entra, and exclude the application from it.',
] as const;
const APPLICATION_RISK = [
  'Microsoft Entra ID Protection counts the identity as compromised',
  'Look at the risky workload identities in Entra, and confirm there that it is safe.',
] as const;

/** Azure makes and renews the certificate with which a managed identity signs in; no setting holds it. */
const IDENTITY_CERTIFICATE = [
  'the certificate that Azure keeps for the identity is not valid',
  'Restart the app. If it continues, turn the managed identity of the app off and on again, or assign another one, and give it its roles.',
] as const;
const OTHER_CLOUD = [
  'the tenant belongs to another cloud',
  'Set AZURE_AUTHORITY_HOST to the sign-in address of the cloud of the tenant.',
] as const;

/** What to do about the refusal of a managed identity, by the number after AADSTS. */
const IDENTITY_FIXES: Refusals = {
  7000222: IDENTITY_CERTIFICATE,
  700027: IDENTITY_CERTIFICATE,
  700030: IDENTITY_CERTIFICATE,
  1000502: IDENTITY_CERTIFICATE,
  500011: [
    'the tenant does not know the service that the token is for',
    'Check that the vault, the storage account or clientAssertionAudience is of the cloud of the app.',
  ],
  700016: [
    'the tenant does not know the identity',
    'Turn the managed identity of the app off and on again, or assign another one, and give it its roles: its service principal was deleted, or the subscription moved to another tenant.',
  ],
  7000112: [
    'the service principal of the identity is disabled',
    'Enable the enterprise application of the managed identity in Entra.',
  ],
  53003: APPLICATION_POLICY,
  530034: APPLICATION_POLICY,
  530035: APPLICATION_POLICY,
  530047: APPLICATION_RISK,
  5000224: TENANT_BLOCKED,
  5000225: TENANT_BLOCKED,
  500014: RESOURCE_DISABLED,
  50105: NOT_ASSIGNED,
  501051: NOT_ASSIGNED,
  90002: [NO_TENANT, 'Check whether the subscription of the app was moved to another tenant.'],
};

/** What to do about the refusal of a service principal, or of a user name with a password, by the number after AADSTS. */
const PRINCIPAL_FIXES: Refusals = {
  7000215: [
    'the client secret is wrong',
    'Set AZURE_CLIENT_SECRET to the value, not the id, of a client secret of the application in AZURE_CLIENT_ID.',
  ],
  7000222: [
    'the client secret has expired',
    'Create a new client secret for the application in AZURE_CLIENT_ID, and set AZURE_CLIENT_SECRET to it.',
  ],
  700016: WRONG_APPLICATION,
  7000229: WRONG_APPLICATION,
  90002: WRONG_TENANT,
  900023: WRONG_TENANT,
  50059: WRONG_TENANT,
  90038: OTHER_CLOUD,
  900382: OTHER_CLOUD,
  900439: OTHER_CLOUD,
  700027: [
    'the application does not have the certificate',
    'Upload the certificate in AZURE_CLIENT_CERTIFICATE_PATH to the application in AZURE_CLIENT_ID.',
  ],
  700021: WRONG_ASSERTION,
  700023: WRONG_ASSERTION,
  50027: WRONG_ASSERTION,
  700024: ['the clock of this machine is wrong', 'Synchronize the clock of this machine (NTP).'],
  50126: ['the user name or the password is wrong', 'Correct AZURE_USERNAME and AZURE_PASSWORD.'],
  50034: ['the tenant has no such user', 'Correct AZURE_USERNAME and AZURE_TENANT_ID.'],
  50076: PASSWORD_NOT_ENOUGH,
  50079: PASSWORD_NOT_ENOUGH,
  50158: PASSWORD_NOT_ENOUGH,
  7000218: [
    'the application needs a client secret',
    'Set AZURE_CLIENT_SECRET, or allow public client flows for the application.',
  ],
  7000112: APPLICATION_DISABLED,
  7000113: APPLICATION_DISABLED,
  50105: NOT_ASSIGNED,
  501051: NOT_ASSIGNED,
  65001: NO_CONSENT,
  65004: NO_CONSENT,
  650052: NO_CONSENT,
  650056: NO_CONSENT,
  90094: NO_CONSENT,
  500014: RESOURCE_DISABLED,
  5000224: TENANT_BLOCKED,
  5000225: TENANT_BLOCKED,
  500021: TENANT_RESTRICTED,
  500212: TENANT_RESTRICTED,
  700030: CERTIFICATE_ENDED,
  1000502: CERTIFICATE_ENDED,
  70021: FEDERATION,
  700211: FEDERATION,
  700212: FEDERATION,
  700213: FEDERATION,
  530034: APPLICATION_POLICY,
  530035: APPLICATION_POLICY,
  530047: APPLICATION_RISK,
  50053: ['the account is locked', 'Wait until the account is unlocked, or use a client secret instead.'],
  50055: ['the password has expired', 'Change the password, and set AZURE_PASSWORD to the new one.'],
  50057: ['the account is disabled', 'Enable the account in AZURE_USERNAME, or use a client secret instead.'],
  9002331: [
    'the application is only for personal Microsoft accounts',
    'Set AZURE_CLIENT_ID to an application of your organization.',
  ],
  53003: APPLICATION_POLICY,
  500011: ['the tenant does not know Key Vault', 'Set AZURE_TENANT_ID to the tenant of the vault.'],
};

const ENDED = ['the sign-in has ended', 'Run {login} again.'] as const;
const SECOND_FACTOR = [
  'multi-factor authentication is required',
  'Run {login} again, and complete the multi-factor authentication.',
] as const;
const OTHER_TENANT = [
  'the account does not belong to the tenant of the vault',
  'Run {login} {tenant} TENANT, with the tenant of the vault.',
] as const;
const POLICY = [
  'a Conditional Access policy blocks the sign-in',
  'Sign in on a device and a network that the policy allows: the sign-in logs of Entra name it. Then run {login} again.',
] as const;

/** What to do about the refusal of a user who is signed in to a tool. */
const USER_FIXES: Refusals = {
  700082: ENDED,
  700084: ENDED,
  70008: ENDED,
  70043: ENDED,
  70044: ENDED,
  50173: ENDED,
  50132: ENDED,
  50133: ENDED,
  50076: SECOND_FACTOR,
  50078: SECOND_FACTOR,
  50079: SECOND_FACTOR,
  50158: SECOND_FACTOR,
  50020: OTHER_TENANT,
  50034: OTHER_TENANT,
  90072: OTHER_TENANT,
  500011: OTHER_TENANT,
  90002: OTHER_TENANT,
  53000: POLICY,
  53001: POLICY,
  53003: POLICY,
  53002: POLICY,
  53004: POLICY,
  530003: POLICY,
  530032: POLICY,
  530034: POLICY,
  530035: POLICY,
  50097: POLICY,
  50005: POLICY,
  50131: POLICY,
  50072: SECOND_FACTOR,
  50074: SECOND_FACTOR,
  530021: POLICY,
  65001: NO_CONSENT,
  90094: NO_CONSENT,
  50105: NOT_ASSIGNED,
  500014: RESOURCE_DISABLED,
  500021: TENANT_RESTRICTED,
  500212: TENANT_RESTRICTED,
  5000224: TENANT_BLOCKED,
  5000225: TENANT_BLOCKED,
  50140: ENDED,
  50085: ENDED,
  50089: ENDED,
  500133: ENDED,
  700003: [
    'the device was removed from the tenant',
    'Register the device again, or run {login} on another one.',
  ],
  53011: [
    'the account counts as compromised',
    'Have an administrator unblock the account in Microsoft Entra ID Protection, then run {login} again.',
  ],
  500571: [
    'the guest account is disabled',
    'Have an administrator enable the guest account, or run {login} with another one.',
  ],
  50053: ['the account is locked', 'Wait until the account is unlocked, then run {login} again.'],
  50055: ['the password has expired', 'Change the password, then run {login} again.'],
  50057: ['the account is disabled', 'Enable the account, or run {login} with another one.'],
  7000215: ['the client secret is wrong', 'Run {login} again, with a valid client secret.'],
  7000222: ['the client secret has expired', 'Run {login} again, with a new client secret.'],
};

/**
 * The numbers of refusals that end without an operator: https://learn.microsoft.com/entra/identity-platform/reference-error-codes. The
 * service is not available, is too busy, or was asked too often.
 */
const TRANSIENT: readonly number[] = [50087, 50196, 90006, 90024, 90033, 90055];
/** RFC 6749 section 4.1.2.1, and the words of Microsoft Entra. */
const TRANSIENT_TEXT = /temporarily_unavailable|\btransient error\b/i;
const BUSY = 'Microsoft Entra is not available or too busy';

function busy(refused: string): Reason {
  const fix = 'Wait a few minutes. If it continues, check the status of Azure.';
  return { what: `${refused}: ${BUSY}`, fix, passing: true, weight: REFUSED };
}

/** What the text's own number means; undefined if it has none. */
function refusal(text: string, fixes: Refusals, complete: (fix: string) => string): Reason | undefined {
  const number = aadsts(text);
  if (number === undefined) return undefined;
  const got = `got AADSTS${number}`;
  const known = fixes[number];
  if (known) return { what: `${got}: ${known[0]}`, fix: complete(known[1]), passing: false, weight: REFUSED };
  if (TRANSIENT.includes(number) || TRANSIENT_TEXT.test(text)) return busy(got);
  const lookUp = `Look up AADSTS${number} at https://login.microsoftonline.com/error.`;
  return { what: got, fix: complete(lookUp), weight: REFUSED };
}

/** The first number is the error's own; others are in the texts around it. */
function aadsts(text: string): number | undefined {
  const found = /AADSTS(\d{4,9})/.exec(text)?.[1];
  return found === undefined ? undefined : Number(found);
}

interface Thrown {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly cause?: { readonly errorCode?: unknown; readonly status?: unknown; readonly statusCode?: unknown };
  readonly statusCode?: unknown;
}

function textOf(thrown: unknown): string {
  return String((thrown as Thrown | undefined)?.message ?? '');
}

function nameOf(thrown: unknown): unknown {
  return (thrown as Thrown | undefined)?.name;
}

function causeOf(thrown: unknown): { readonly status: number; readonly isNetwork: boolean } {
  const { cause, statusCode } = (thrown ?? {}) as Thrown;
  const status = Number(statusCode ?? cause?.status ?? cause?.statusCode ?? 0);
  return { status, isNetwork: cause?.errorCode === 'network_error' };
}
