import { Agent, request as sendHttp } from 'node:http';
import { request as sendHttps } from 'node:https';
import { SecretClient, type SecretClientOptions } from '@azure/keyvault-secrets';
import { onTestFinished } from 'vitest';
import { createCertificateAuthority } from '../../../local/keyVault/certificateAuthority.ts';
import {
  ALL_RIGHTS,
  type KeyVaultOptions,
  type KeyVaultServer,
  startKeyVault,
  type VaultRight,
} from '../../../local/keyVault/server.ts';

/** The tokens of the vaults in these tests, and the rights of their holders. */
const RIGHTS: Readonly<Record<string, readonly VaultRight[]>> = {
  officer: ALL_RIGHTS,
  reader: ['get'],
  lister: ['list'],
  writer: ['set'],
  signer: ['getKey', 'sign', 'getCertificate'],
};

/** 2026-01-01T00:00:00Z. */
export const NEW_YEAR = 1_767_225_600;

export const API = 'api-version=7.6';

/** A vault with TLS and the certificate that its clients trust. */
export interface TestVault extends KeyVaultServer {
  readonly tlsUrl: string;
  readonly ca: string;
}

let authority: Promise<{ ca: string; tls: { key: string; cert: string } }> | undefined;

/** Starts a vault that is closed when the test ends. */
export async function startVault(options: Partial<KeyVaultOptions> = {}): Promise<TestVault> {
  authority ??= createAuthority();
  const { ca, tls } = await authority;
  const vault = await startKeyVault({
    name: 'test-vault',
    authorize: (token) => RIGHTS[token],
    identify: (token) => `the ${token}`,
    tls,
    ...options,
  });
  onTestFinished(() => vault.close());
  return { ...vault, tlsUrl: vault.tlsUrl ?? '', ca };
}

async function createAuthority() {
  const { caCertificate, issue } = await createCertificateAuthority();
  return { ca: caCertificate, tls: await issue(['localhost', '127.0.0.1']) };
}

/** The real client with a fixed token; over TLS, because it sends tokens only to TLS addresses. */
export function clientOf(vault: TestVault, token = 'officer'): SecretClient {
  const credential = { getToken: async () => ({ token, expiresOnTimestamp: Date.now() + 3_600_000 }) };
  return new SecretClient(vault.tlsUrl, credential, clientOptions(vault));
}

/** Options of a client of a test vault: it does not retry, so that a test sees the fault. */
export function clientOptions({ ca }: TestVault): SecretClientOptions {
  return {
    disableChallengeResourceVerification: true,
    retryOptions: { maxRetries: 0 },
    tlsOptions: { ca },
  };
}

export interface RawRequest {
  readonly method?: string;
  readonly token?: string | undefined;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  readonly ca?: string;
}

export interface RawResponse {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
  /** The body as JSON; undefined if it is not valid JSON. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read responses of every form
  readonly json: any;
}

/** Sends a request as curl would: no client in between repairs, retries or hides anything. */
export function send(target: string, options: RawRequest = {}): Promise<RawResponse> {
  const { method = 'GET', body, ca } = options;
  const token = 'token' in options ? options.token : 'officer';
  const authorization = token === undefined ? {} : { authorization: `Bearer ${token}` };
  const headers = { ...authorization, ...options.headers };
  // `path` is separate from the address, because URL would normalise targets such as `//secrets`.
  const { protocol, hostname, port } = new URL(target);
  const path = target.slice(target.indexOf(port) + port.length) || '/';
  const common = { hostname, port, path, method, headers };
  return new Promise((resolve, reject) => {
    const request =
      protocol === 'https:' ? sendHttps({ ...common, ca }) : sendHttp({ ...common, agent: new Agent() });
    request.on('error', reject);
    request.on('response', async (response) => {
      const text = Buffer.concat(await response.toArray()).toString();
      resolve({ status: response.statusCode ?? 0, headers: response.headers, text, json: parse(text) });
    });
    request.end(body);
  });
}

/** Sends a JSON body with PUT. */
export function put(target: string, body: unknown, token = 'officer'): Promise<RawResponse> {
  return send(target, { method: 'PUT', token, body: JSON.stringify(body) });
}

/** All items of an async iterable. */
export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const collected: T[] = [];
  for await (const item of items) collected.push(item);
  return collected;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
