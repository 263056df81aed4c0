import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuthenticationError, CredentialUnavailableError } from '@azure/identity';
import { afterEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { createCredential } from '../../../lib/azure/credential.ts';
import { explainSignIn, SignInFailed } from '../../../lib/azure/signInFailure.ts';

const SCOPE = 'https://vault.azure.net/.default';
const PRINCIPAL = {
  AZURE_TENANT_ID: '11111111-1111-4111-8111-111111111111',
  AZURE_CLIENT_ID: '22222222-2222-4222-8222-222222222222',
};
const GONE = { AZURE_TENANT_ID: '', AZURE_CLIENT_ID: '', AZURE_CLIENT_SECRET: '' };

afterEach(() => vi.unstubAllEnvs());

/** The failure of the real credentials, which find only these programs; each prints its text as an error and exits with 1. */
async function failureOf(programs: Record<string, string>, settings: Record<string, string> = {}) {
  const directory = await mkdtemp(join(tmpdir(), 'sign-in-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  for (const [name, says] of Object.entries(programs)) {
    await writeFile(join(directory, name), `#!/bin/sh\necho "${says}" >&2\nexit 1\n`);
    await chmod(join(directory, name), 0o755);
  }
  const env = { ...GONE, PATH: directory, ...settings };
  for (const [name, value] of Object.entries(env)) vi.stubEnv(name, value);
  const failure = await createCredential({ env })
    .getToken(SCOPE)
    .catch((thrown: unknown) => thrown);
  if (!(failure instanceof SignInFailed)) throw new Error('The sign-in did not fail.');
  return failure;
}

describe.skipIf(process.platform === 'win32')('a developer tool', () => {
  it('that is not installed leads to the advice to install one', async () => {
    expect(await failureOf({})).toMatchObject({
      message: 'no way to sign in to Azure is set up on this machine',
      fix: 'Install the Azure CLI and run az login.',
      passing: false,
    });
  });

  it.each([
    [{ az: "Please run 'az login' to setup account." }, 'Azure CLI (az) is not signed in', 'Run az login.'],
    [
      { az: 'ERROR: AADSTS50173: The provided grant has expired. Interactive authentication is needed.' },
      'Azure CLI (az) got AADSTS50173: the sign-in has ended',
      'Run az login again.',
    ],
    [
      {
        az: 'ERROR: AADSTS700082: The refresh token has expired. Please run: az login --scope https://vault.azure.net/.default',
      },
      'Azure CLI (az) got AADSTS700082: the sign-in has ended',
      'Run az login again.',
    ],
    [
      {
        az: 'ERROR: AADSTS50076: you must use multi-factor authentication. Run: az login --scope https://vault.azure.net/.default',
      },
      'Azure CLI (az) got AADSTS50076: multi-factor authentication is required',
      'Run az login again, and complete the multi-factor authentication.',
    ],
    [
      { az: 'ERROR: AADSTS50020: User account does not exist in tenant. az login --scope x' },
      'Azure CLI (az) got AADSTS50020: the account does not belong to the tenant of the vault',
      'Run az login --tenant TENANT, with the tenant of the vault.',
    ],
    [
      { az: 'ERROR: AADSTS1234567: news.' },
      'Azure CLI (az) got AADSTS1234567',
      'Look up AADSTS1234567 at https://login.microsoftonline.com/error.',
    ],
    [
      { az: 'a broken installation' },
      'Azure CLI (az) failed',
      'Run az account show, and az login if it fails.',
    ],
    [
      { azd: 'ERROR: not logged in, run `azd auth login` to login'.replaceAll('`', '\\`') },
      'Azure Developer CLI (azd) is not signed in',
      'Run azd auth login.',
    ],
    [
      { azd: 'reauthentication required' },
      'Azure Developer CLI (azd) needs multi-factor authentication',
      'Run azd auth login again, with the scope https://vault.azure.net/.default.',
    ],
    [
      { az: "Please run 'az login' to setup account.", azd: 'AADSTS70043: expired' },
      'Azure Developer CLI (azd) got AADSTS70043: the sign-in has ended; Azure CLI (az) is not signed in',
      'Run azd auth login again.',
    ],
  ])('that says %j is named with its fix', async (programs, message, fix) => {
    expect(await failureOf(programs)).toMatchObject({ message, fix, passing: false });
  });

  it('is asked if AZURE_CLIENT_ID alone is set, because that is a setting of the rotator', async () => {
    const failure = await failureOf(
      { az: "Please run 'az login'" },
      { AZURE_CLIENT_ID: PRINCIPAL.AZURE_CLIENT_ID },
    );
    expect(failure.message).toBe('Azure CLI (az) is not signed in');
  });
});

describe.skipIf(process.platform === 'win32')('the variables of a service principal', () => {
  it.each([
    [PRINCIPAL, 'AZURE_CLIENT_SECRET'],
    [{ AZURE_CLIENT_SECRET: 'x' }, 'AZURE_TENANT_ID and AZURE_CLIENT_ID'],
    [{ ...PRINCIPAL, AZURE_USERNAME: 'u' }, 'AZURE_PASSWORD'],
  ])('in %j are incomplete without %s', async (settings, missing) => {
    const { message, fix } = await failureOf({ az: "Please run 'az login'" }, settings);
    expect(message).toBe(
      `the AZURE_ variables of the environment are incomplete without ${missing}; Azure CLI (az) is not signed in`,
    );
    expect(fix).toBe(`Set ${missing}, or unset the other AZURE_ variables and run az login.`);
  });

  it('with a tenant id that is not valid are a problem of their own, not a defect', async () => {
    const settings = { ...PRINCIPAL, AZURE_TENANT_ID: 'a b', AZURE_CLIENT_SECRET: 'x' };
    expect((await failureOf({}, settings)).fix).toMatch(/^Set AZURE_TENANT_ID to the id of the tenant\./);
  });

  it('with a certificate that cannot be read name the file as the problem', async () => {
    const settings = { ...PRINCIPAL, AZURE_CLIENT_CERTIFICATE_PATH: '/nowhere/certificate.pem' };
    expect((await failureOf({}, settings)).fix).toMatch(/^Set AZURE_CLIENT_CERTIFICATE_PATH to a PEM file/);
  });

  it('that are set up and fail keep the tools from being asked: they could be another identity', async () => {
    const settings = { ...PRINCIPAL, AZURE_CLIENT_CERTIFICATE_PATH: '/nowhere/certificate.pem' };
    const { message } = await failureOf({ az: "Please run 'az login'" }, settings);
    expect(message).not.toContain('az');
  });
});

/** As `EnvironmentCredential` reports what the authority or the network answered. */
function refused(description: string) {
  const thrown = new AuthenticationError(400, {
    error: 'EnvironmentCredential authentication failed.',
    error_description: description,
  });
  return explainSignIn([{ way: 'environment', thrown }], {
    env: { ...PRINCIPAL, AZURE_CLIENT_SECRET: 'x' },
  });
}

describe('a service principal that Microsoft Entra refuses', () => {
  it.each([
    [7000215, 'the value, not the id, of a client secret'],
    [7000222, 'Create a new client secret'],
    [700016, 'Correct AZURE_CLIENT_ID and AZURE_TENANT_ID'],
    [90002, 'Correct AZURE_TENANT_ID.'],
    [700027, 'Upload the certificate in AZURE_CLIENT_CERTIFICATE_PATH'],
    [700021, 'Use a certificate of the application'],
    [700023, 'Use a certificate of the application'],
    [50027, 'Use a certificate of the application'],
    [50126, 'Correct AZURE_USERNAME and AZURE_PASSWORD.'],
    [50076, 'use a client secret instead'],
    [7000218, 'allow public client flows'],
    [9002331, 'an application of your organization'],
    [500011, 'Set AZURE_TENANT_ID to the tenant of the vault.'],
    [7000112, 'Enable the application'],
    [65001, 'grant consent'],
    [501051, 'Assign the application or its app role'],
    [500014, 'enable the enterprise application'],
    [5000224, 'a request with Microsoft support'],
    [500021, 'Have the owner of the proxy allow the tenant'],
    [1000502, 'Create a new certificate'],
    [700213, 'Add a federated credential'],
    [530035, 'exclude the application from it'],
    [530047, 'the risky workload identities'],
    [50057, 'Enable the account in AZURE_USERNAME'],
    [50059, 'Correct AZURE_TENANT_ID.'],
    [90038, 'Set AZURE_AUTHORITY_HOST'],
    [900439, 'Set AZURE_AUTHORITY_HOST'],
    [1234567, 'Look up AADSTS1234567 at https://login.microsoftonline.com/error.'],
  ])('with AADSTS%i gets a fix of its own', (number, words) => {
    const { message, fix, passing } = refused(
      `invalid_client: ${number} - [2026-01-01]: AADSTS${number}: text of AADSTS1 Trace ID: canary`,
    );
    expect(message).toContain(`the AZURE_ variables of the environment got AADSTS${number}`);
    expect(fix).toContain(words);
    expect(fix).toContain('Or unset AZURE_TENANT_ID to sign in with az login.');
    expect(`${message} ${fix}`).not.toContain('canary');
    expect(passing).toBe(false);
  });

  it('is tried again automatically if the service itself failed with an unknown number', () => {
    expect(refused('unknown_error Status code: 503 AADSTS1234567: news').passing).toBe(true);
    expect(refused('unknown_error Status code: 503 AADSTS700016: canary').passing).toBe(false);
  });

  it('because its tenant is not that of the vault learns which setting allows it', () => {
    const { fix } = refused('The current credential is not configured to acquire tokens for tenant x.');
    expect(fix).toContain('AZURE_ADDITIONALLY_ALLOWED_TENANTS');
  });

  it.each([
    'network_error: Network request failed',
    'endpoints_resolution_error: Could not resolve endpoints.',
    'connect ECONNREFUSED',
    'unknown_error Status code: 503',
  ])('only because of %s is tried again automatically', (description) => {
    const { fix, passing } = refused(description);
    expect(passing).toBe(true);
    expect(fix).toContain('HTTPS_PROXY');
  });
});

it('names the missing module of Azure PowerShell', () => {
  const thrown = new CredentialUnavailableError("The 'Az.Account' module >= 2.2.0 is not installed.");
  expect(explainSignIn([{ way: 'powershell', thrown }], { env: {} }).fix).toContain('Install-Module');
});

/** How the identity library reports a refusal by the endpoint of the managed identity. */
function identityRefused(error_description: string, status = 400) {
  const thrown = new AuthenticationError(status, { error: 'unauthorized_client', error_description });
  const context = { env: {}, managedIdentityClientId: PRINCIPAL.AZURE_CLIENT_ID };
  return explainSignIn([{ way: 'identity', thrown }], context);
}

describe('a managed identity that Microsoft Entra refuses', () => {
  it.each([
    [700016, 'its service principal was deleted'],
    [7000112, 'Enable the enterprise application of the managed identity'],
    [7000222, 'Restart the app. If it continues, turn the managed identity'],
    [700027, 'Restart the app. If it continues, turn the managed identity'],
    [500011, 'is of the cloud of the app'],
    [50105, 'Assign the application or its app role'],
    [53003, 'exclude the application from it'],
    [5000225, 'a request with Microsoft support'],
    [1234567, 'Look up AADSTS1234567 at https://login.microsoftonline.com/error.'],
    [90036, 'Look up AADSTS90036'],
  ])('with AADSTS%i gets a fix of its own', (number, words) => {
    const { message, fix, passing } = identityRefused(`AADSTS${number}: canary`);
    expect(message).toContain(`got AADSTS${number}`);
    expect(fix).toContain(words);
    expect(`${message} ${fix}`).not.toContain('canary');
    expect(`${message} ${fix}`).not.toContain('client id');
    expect(passing).toBe(false);
  });

  it('with no number is taken for an identity that the app does not have', () => {
    const { message, fix, passing } = identityRefused('No user-assigned managed identity found');
    expect(message).toContain('has no identity with that client id');
    expect(fix).toContain('correct its client id');
    expect(passing).toBe(false);
  });

  it('is tried again automatically if the endpoint itself failed with an unknown number', () => {
    expect(identityRefused('AADSTS1234567: canary', 500).passing).toBe(true);
    expect(identityRefused('AADSTS700016: canary', 500).passing).toBe(false);
  });
});

describe('Microsoft Entra that is not available or too busy', () => {
  const WAYS_TO_SIGN_IN = ['identity', 'environment', 'az', 'azd', 'powershell'] as const;
  const explained = (way: (typeof WAYS_TO_SIGN_IN)[number], text: string) => {
    const thrown = new AuthenticationError(400, { error: 'invalid_request', error_description: text });
    return explainSignIn([{ way, thrown }], { env: PRINCIPAL });
  };

  it.each([
    'AADSTS50087: canary',
    'AADSTS50196: canary',
    'AADSTS90006: canary',
    'AADSTS90024: canary',
    'AADSTS90033: canary',
    'AADSTS90055: canary',
    'AADSTS1234567: A transient error has occurred. canary',
    'temporarily_unavailable: canary',
  ])('is waited for, whichever way it was asked: %s', (text) => {
    for (const way of WAYS_TO_SIGN_IN) {
      const { message, fix, passing } = explained(way, text);
      expect(passing).toBe(true);
      expect(message).toContain(/AADSTS\d+/.exec(text)?.[0] ?? 'refused');
      expect(fix).toBe('Wait a few minutes. If it continues, check the status of Azure.');
      expect(`${message} ${fix}`).not.toContain('canary');
    }
  });

  it('is not seen in another refusal', () => {
    for (const way of WAYS_TO_SIGN_IN) {
      const { fix, passing } = explained(way, 'AADSTS90036: an unexpected error');
      expect(passing).toBe(false);
      expect(fix).toContain('Look up AADSTS90036');
    }
  });
});

it('explains a managed identity of Azure Arc that the user may not use', () => {
  const thrown = Object.assign(new CredentialUnavailableError('x'), { cause: { status: 403 } });
  const env = { IDENTITY_ENDPOINT: 'http://localhost:40342', IMDS_ENDPOINT: 'http://localhost:40342' };
  expect(explainSignIn([{ way: 'identity', thrown }], { env }).fix).toContain('the group himds');
});
