import { authorizeRequestOnTenantChallenge } from '@azure/core-client';
import {
  bearerTokenAuthenticationPolicy,
  createEmptyPipeline,
  createHttpHeaders,
  createPipelineRequest,
  type HttpClient,
  type Pipeline,
  type PipelinePolicy,
  proxyPolicy,
} from '@azure/core-rest-pipeline';
import type { TokenCredential } from '@azure/identity';
import { errorDetails } from './blobXml.ts';
import { createHttpClient } from './httpClient.ts';
import { accountIn, type NamedAccount } from './storageConnectionString.ts';

/** The version of the service whose requests and responses are used here: https://learn.microsoft.com/rest/api/storageservices */
const API_VERSION = '2023-11-03';
const SCOPE = 'https://storage.azure.com/.default';

/** The storage account of the record store, as the settings of the Functions host name it. */
type StorageLocation =
  | { readonly kind: 'connectionString'; readonly connectionString: string }
  | {
      readonly kind: 'identity';
      /** `https://ACCOUNT.blob.core.windows.net` */
      readonly blobServiceUrl: string;
      /** Client id of the managed identity for storage; the caller uses it to create the credential. */
      readonly clientId?: string;
    };

/** How the storage account is reached. */
export interface StorageAccess {
  readonly location: StorageLocation;
  /** Used for the kind `identity` only. */
  readonly credential: TokenCredential;
  /** Sends the requests. Default: a client of its own. */
  readonly httpClient?: HttpClient;
}

/** A request to Blob Storage. */
export interface BlobRequest {
  readonly method: 'GET' | 'PUT';
  /** Of a container or a blob, without a query. */
  readonly url: string;
  readonly query?: Readonly<Record<string, string>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /**
   * What is read is a short text: `text` of the response, which is empty if it has more than a megabyte. Through a proxy, only the
   * deadline limits it.
   */
  readonly isShort?: boolean;
  /** Send it over a new connection: the idle ones may be closed. */
  readonly again?: boolean;
  readonly abortSignal: AbortSignal;
}

/** A response with a status below 300. */
export interface BlobResponse {
  readonly headers: { get(name: string): string | undefined };
  /** Unless it is in `body`. */
  readonly text: string;
  /** Of a GET that is not short; to be read to its end. */
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * A blob service, and how this program authenticates there. The storage library does the same; its generated layer costs three times as
 * much for each request, and has to be loaded. What it would repeat is not repeated here: the protocol has its own retries, under a
 * lease that a retry here could outlive. A blob service does not redirect, and a host that does must not receive a token.
 */
export class BlobService {
  /** Without a query and a slash at the end; of the emulator, with the account. */
  readonly url: string;
  readonly #signature: string;
  readonly #httpClient: HttpClient;
  readonly #pipeline: Pipeline = createEmptyPipeline();

  /** @throws RotatorError `configuration_invalid` if the connection string is not valid */
  constructor({ location, credential, httpClient = createHttpClient() }: StorageAccess) {
    const { url, signature = '', authenticate } = reached(location, credential);
    this.url = url.replace(/\/+$/, '');
    this.#signature = signature;
    this.#httpClient = httpClient;
    this.#pipeline.addPolicy(proxyPolicy());
    if (authenticate) this.#pipeline.addPolicy(authenticate);
  }

  /**
   * Sends one request, once.
   * @throws what `readFailure` reads: an error with the response, if there is one
   */
  async send(asked: BlobRequest): Promise<BlobResponse> {
    const { method, url, query, headers, body, isShort, again, abortSignal } = asked;
    const parameters = [new URLSearchParams(query).toString(), this.#signature].filter(Boolean).join('&');
    const request = createPipelineRequest({
      method,
      url: parameters ? `${url}?${parameters}` : url,
      headers: createHttpHeaders({ 'x-ms-version': API_VERSION, ...headers }),
      abortSignal,
      disableKeepAlive: again === true,
      // A token is sent over https only. A connection string may name http, as that of the emulator does.
      allowInsecureConnection: true,
      ...(method === 'GET' && !isShort && { streamResponseStatusCodes: READ }),
      ...(body !== undefined && { body }),
    });
    const response = await this.#pipeline.sendRequest(this.#httpClient, request);
    const { status, bodyAsText, readableStreamBody } = response;
    const text = bodyAsText ?? '';
    if (status >= 300) throw new BlobRefusal(response, text);
    return { headers: response.headers, text, body: bytesOf(readableStreamBody) };
  }
}

const READ = new Set([200]);

/** A response that is not a success, in the shape in which the clients of the SDK throw it. */
class BlobRefusal extends Error {
  override readonly name = 'BlobRefusal';
  readonly response: { readonly status: number; readonly headers: BlobResponse['headers'] };
  readonly details: Readonly<Record<string, string>>;

  constructor({ status, headers }: { status: number; headers: BlobResponse['headers'] }, body: string) {
    const { message = '', ...details } = errorDetails(body);
    super(message);
    this.response = { status, headers };
    this.details = details;
  }
}

function bytesOf(body: NodeJS.ReadableStream | undefined): AsyncIterable<Uint8Array> {
  return (body ?? []) as AsyncIterable<Uint8Array>;
}

interface Reached {
  readonly url: string;
  readonly signature?: string;
  readonly authenticate?: PipelinePolicy;
}

function reached(location: StorageLocation, credential: TokenCredential): Reached {
  if (location.kind === 'connectionString') {
    const { url, key, signature } = accountIn(location.connectionString);
    return {
      url,
      ...(signature !== undefined && { signature }),
      ...(key && { authenticate: signed(key) }),
    };
  }
  const authenticate = bearerTokenAuthenticationPolicy({
    credential,
    scopes: SCOPE,
    challengeCallbacks: { authorizeRequestOnChallenge: authorizeRequestOnTenantChallenge },
  });
  return { url: location.blobServiceUrl, authenticate };
}

/** Signs each request with an account key. The library is loaded at the first one: the deployment has no such key. */
function signed(key: NonNullable<NamedAccount['key']>): PipelinePolicy {
  let policy: PipelinePolicy | undefined;
  return {
    name: 'signed',
    sendRequest: async (request, next) => {
      policy ??= (await import('@azure/storage-common')).storageSharedKeyCredentialPolicy(key);
      return policy.sendRequest(request, next);
    },
  };
}
