import { createHash } from 'node:crypto';
import type { HttpClient } from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';
import { keyVaultAuthenticationPolicy } from '@azure/keyvault-common';
import { type Client, getClient } from '@azure-rest/core-client';
import type { SigningAlgorithm } from '../rotation/core/connection.ts';
import type { NamedVersion, VaultKey, VaultKeys } from '../rotation/ports.ts';
import { SECRET_NAME, SECRET_NAME_RULE } from '../secretNames.ts';
import { withDeadline } from './deadline.ts';
import { createHttpClient } from './httpClient.ts';
import { disabled, refused, type VaultCall, vaultError } from './keyVaultErrors.ts';
import type { SeenResponse } from './serviceFailure.ts';
import { isLocalVault, vaultPipeline } from './vaultPipeline.ts';

/** The version of the service whose responses are read here: https://learn.microsoft.com/rest/api/keyvault */
const API_VERSION = '7.4';
const TIMEOUT_MS = 10_000;
/** It becomes part of a URL. */
const VERSION = /^[0-9A-Za-z]{1,64}$/;

/** How the keys of a vault are used. */
export interface VaultKeysOptions {
  /** Longest time for one request, sign-in included, in milliseconds. Default 10 s. */
  readonly timeoutMs?: number;
  /** Sends the requests. Default: a client of its own. */
  readonly httpClient?: HttpClient;
}

/** The parts of a key bundle and of a certificate bundle that are read here. Times are in seconds. */
interface Bundle {
  readonly key?: { readonly kid?: unknown; readonly kty?: unknown; readonly crv?: unknown };
  readonly kid?: unknown;
  readonly cer?: unknown;
  readonly policy?: { readonly key_props?: { readonly kty?: unknown; readonly crv?: unknown } };
  readonly attributes?: Readonly<Partial<Record<'enabled' | 'created' | 'exp', unknown>>>;
  readonly tags?: Readonly<Record<string, string>>;
  readonly value?: unknown;
  readonly error?: { readonly code?: unknown; readonly message?: unknown; readonly innererror?: unknown };
}

/**
 * The keys and certificates of the Key Vault at an address: Get Key, Get Certificate and Sign of the REST reference. They have no own
 * package here: it would bring its own cryptography, and these are three requests.
 */
export function createVaultKeys(
  url: string,
  credential: TokenCredential,
  { timeoutMs = TIMEOUT_MS, httpClient = createHttpClient() }: VaultKeysOptions = {},
): VaultKeys {
  const client = getClient(url, vaultPipeline(httpClient));
  client.pipeline.addPolicy(
    keyVaultAuthenticationPolicy(credential, { disableChallengeResourceVerification: isLocalVault(url) }),
  );
  const send = (call: Omit<VaultCall, 'vaultUrl'>, path: string, body?: object) =>
    request({ client, timeoutMs, call: { ...call, vaultUrl: url } }, path, body);
  return {
    async get(kind, name) {
      checkName(name);
      const action = kind === 'key' ? 'getKey' : 'getCertificate';
      const found = await send({ action, secret: name }, `/${kind}s/${name}/`);
      if (!found) return undefined;
      if (found.attributes?.enabled === false) throw disabled({ action, secret: name, vaultUrl: url });
      const key = keyOf(found);
      if (VERSION.test(key.version)) return key;
      throw refused(
        `${url} returned no valid description of the ${kind} ${name}.`,
        'Check the address of the vault.',
      );
    },
    async sign({ name, version }: NamedVersion, algorithm: SigningAlgorithm, digest: Uint8Array) {
      checkName(name);
      const value = Buffer.from(digest).toString('base64url');
      const call = { action: 'sign', secret: name } as const;
      const signed = await send(call, `/keys/${name}/${version}/sign`, { alg: algorithm, value });
      if (typeof signed?.value === 'string') return Buffer.from(signed.value, 'base64url');
      throw refused(
        `${url} has no key ${name}, or not the version to sign with (404).`,
        `Check whether something deletes ${name}.`,
      );
    },
  };
}

interface Sending {
  readonly client: Client;
  readonly timeoutMs: number;
  readonly call: VaultCall;
}

/** One request with its time limit; undefined for 404. @throws RotatorError */
async function request(
  { client, timeoutMs, call }: Sending,
  path: string,
  body: object | undefined,
): Promise<Bundle | undefined> {
  let seen: SeenResponse | undefined;
  try {
    return await withDeadline(timeoutMs, async (abortSignal) => {
      const target = client.pathUnchecked(path);
      const options = {
        abortSignal,
        queryParameters: { 'api-version': API_VERSION },
        onResponse: (answer: SeenResponse) => {
          seen = answer;
        },
      };
      const { status, body: content } = await (body
        ? target.post({ ...options, body })
        : target.get(options));
      if (status === '404') return undefined;
      const bundle: Bundle = typeof content === 'object' && content !== null ? content : {};
      if (status !== '200') throw refusalOf(bundle);
      return bundle;
    });
  } catch (thrown) {
    throw vaultError(thrown, call, seen);
  }
}

/** In the shape in which the clients of the SDK throw it. */
function refusalOf({ error }: Bundle): Error {
  const { code, message, innererror } = error ?? {};
  const text = typeof message === 'string' ? message : '';
  return Object.assign(new Error(text), { code, details: { error: { code, innerError: innererror } } });
}

function keyOf(bundle: Bundle): VaultKey {
  const { key, cer, policy, attributes = {}, tags = {} } = bundle;
  const { kty, crv } = key ?? policy?.key_props ?? {};
  const expiresAt = timeOf(attributes.exp);
  return {
    version:
      String(key?.kid ?? bundle.kid ?? '')
        .split('/')
        .at(-1) ?? '',
    createdAt: timeOf(attributes.created) ?? 0,
    tags,
    ...(expiresAt !== undefined && { expiresAt }),
    type: typeOf(kty, crv),
    ...(typeof cer === 'string' && { thumbprint: thumbprintOf(cer) }),
  };
}

/** With `-HSM`, the key is in a hardware security module. */
function typeOf(kty: unknown, crv: unknown): VaultKey['type'] {
  if (kty === 'RSA' || kty === 'RSA-HSM') return 'RSA';
  return (kty === 'EC' || kty === 'EC-HSM') && crv === 'P-256' ? 'EC' : 'other';
}

function thumbprintOf(cer: string): string {
  return createHash('sha256').update(Buffer.from(cer, 'base64')).digest('base64url');
}

function timeOf(seconds: unknown): number | undefined {
  return typeof seconds === 'number' ? seconds * 1000 : undefined;
}

// The name becomes part of a URL, where `..` would lead to another resource.
function checkName(name: string): void {
  if (SECRET_NAME.test(name)) return;
  throw refused('The name of a key or certificate is not valid.', `Use ${SECRET_NAME_RULE}.`);
}
