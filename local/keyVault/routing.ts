import { badParameter, VaultError } from './errors.ts';
import type { VaultOperation } from './types.ts';
import { isSecretName } from './validation.ts';

/** A request line, parsed as far as possible; `problem` says why it cannot be executed. */
export interface Route {
  readonly operation: VaultOperation;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly secretName?: string;
  readonly version?: string;
  readonly problem?: VaultError;
}

type Methods = Readonly<Partial<Record<string, VaultOperation>>>;

const OPERATIONS: Readonly<Record<string, Methods>> = {
  secrets: { GET: 'listSecrets' },
  'secrets/{name}': {
    GET: 'getSecret',
    PUT: 'setSecret',
    PATCH: 'updateSecret',
    DELETE: 'deleteSecret',
  },
  'secrets/{name}/versions': { GET: 'listVersions' },
  'secrets/{name}/{version}': { GET: 'getSecret', PATCH: 'updateSecret' },
  deletedsecrets: { GET: 'listDeleted' },
  'deletedsecrets/{name}': { GET: 'getDeleted', DELETE: 'purge' },
  'deletedsecrets/{name}/recover': { POST: 'recover' },
  'keys/{name}': { GET: 'getKey' },
  'keys/{name}/{version}/sign': { POST: 'sign' },
  'certificates/{name}': { GET: 'getCertificate' },
};

const API_VERSION = /^(\d{4}-\d{2}-\d{2}|\d+\.\d+)(-preview(\.\d+)?)?$/;

/** Reads method and request target. It never throws, so that a malformed request is recorded like any other. */
export function matchRoute(method: string, target: string): Route {
  const url = parseTarget(target);
  const segments = url && decodeSegments(url.pathname);
  if (!url || !segments) {
    const problem = badParameter('The request URI cannot be read.');
    return {
      operation: 'unknown',
      path: target.split('?', 1)[0] ?? '',
      query: new URLSearchParams(),
      problem,
    };
  }
  const common = { path: url.pathname, query: url.searchParams };
  const methods = OPERATIONS[shapeOf(segments)];
  const operation = methods?.[method];
  if (!methods || !operation) {
    return { ...common, operation: 'unknown', problem: unsupported(method, url.pathname, methods) };
  }
  return { ...common, operation, ...parametersOf(segments) };
}

/** Every request must name the version of the API; the service refuses one that does not. */
export function requireApiVersion(query: URLSearchParams): void {
  const version = query.get('api-version');
  if (version === null) throw badParameter('api-version must be specified.');
  if (!API_VERSION.test(version)) throw badParameter('The api-version is not supported.');
}

function parseTarget(target: string): URL | undefined {
  // Plain concatenation, because some clients send `//secrets/NAME`, which would parse as a host.
  return target.startsWith('/') ? (URL.parse(`http://vault${target}`) ?? undefined) : undefined;
}

function decodeSegments(pathname: string): string[] | undefined {
  try {
    // Drops empty segments: the SDK requests `/secrets/NAME/` for the latest version.
    return pathname.split('/').filter(Boolean).map(decodeURIComponent);
  } catch {
    return undefined;
  }
}

function shapeOf(segments: readonly string[]): string {
  const [collection = '', ...rest] = segments.map((segment) => segment.toLowerCase());
  const placeholders = rest.map((segment, index) => {
    if (index === 0) return '{name}';
    if (index > 1) return collection === 'keys' && segment === 'sign' ? segment : '?';
    if (segment === 'versions' || collection === 'deletedsecrets') return segment;
    return '{version}';
  });
  return [collection, ...placeholders].join('/');
}

function parametersOf(segments: readonly string[]): Pick<Route, 'secretName' | 'version' | 'problem'> {
  const [collection = '', secretName, last] = segments;
  if (secretName === undefined) return {};
  const problem = isSecretName(secretName)
    ? {}
    : {
        problem: badParameter(
          'The request URI contains an invalid name. Use 1 to 127 of the characters 0-9, a-z, A-Z and -.',
        ),
      };
  const hasVersion =
    ['secrets', 'keys'].includes(collection.toLowerCase()) &&
    last !== undefined &&
    last.toLowerCase() !== 'versions';
  return { secretName, ...(hasVersion ? { version: last.toLowerCase() } : {}), ...problem };
}

function unsupported(method: string, path: string, methods: Methods | undefined): VaultError {
  if (!methods) return new VaultError(404, 'NotFound', `This vault serves nothing at ${path.slice(0, 200)}.`);
  const headers = { allow: Object.keys(methods).join(', ') };
  return new VaultError(405, 'MethodNotAllowed', `${method} is not allowed here.`, { headers });
}
