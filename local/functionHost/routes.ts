import { type FunctionRegistry, type RegisteredFunction, triggerOf } from './coreApi.ts';

/** A request's function and the values of its route's parameters. */
interface RouteMatch {
  readonly name: string;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the function for a method and a path (percent-encoded, without the query), or undefined. */
export type Router = (method: string, path: string) => RouteMatch | undefined;

type Segment = { readonly literal: string } | { readonly param: string; readonly optional: boolean };

interface Route {
  readonly name: string;
  readonly methods: ReadonlySet<string>;
  readonly segments: readonly Segment[];
}

/**
 * Routes of all HTTP functions: the prefix from host.json plus the registered route (the function's name if it has none).
 * As in the real host, literals ignore case. A route that exists for other methods only does not match (404,
 * not 405; a GET route does not serve HEAD). Unlike there, the first route that fits wins, even if a later one is more specific.
 * @throws Error for a route that contains anything but literals, `{name}` and `{name?}`
 */
export function createRouter(
  { functions }: Pick<FunctionRegistry, 'functions'>,
  routePrefix: string,
): Router {
  const routes = [...functions.values()].flatMap((fn) => toRoute(fn, routePrefix));
  return (method, path) => {
    const parts = path
      .replace(/^\/|\/$/g, '')
      .split('/')
      .map(decode);
    for (const { name, methods, segments } of routes) {
      const params = methods.has(method.toUpperCase()) ? matchSegments(segments, parts) : undefined;
      if (params !== undefined) return { name, params };
    }
    return undefined;
  };
}

function toRoute(fn: RegisteredFunction, prefix: string): Route[] {
  const { type, route, methods = [] } = triggerOf(fn);
  if (type?.toLowerCase() !== 'httptrigger') return [];
  const template = `${prefix}/${route ?? fn.name}`.split('/').filter(Boolean);
  const segments = template.map((text) => parseSegment(text, fn));
  return [{ name: fn.name, methods: new Set(methods.map((method) => method.toUpperCase())), segments }];
}

function parseSegment(text: string, { name }: RegisteredFunction): Segment {
  if (!/[{}]/.test(text)) return { literal: text.toLowerCase() };
  const [, param, optional] = /^\{(\w+)(\?)?\}$/.exec(text) ?? [];
  if (param !== undefined) return { param, optional: optional !== undefined };
  throw new Error(`Function "${name}": the local host does not support "${text}"; use {name} or {name?}.`);
}

function matchSegments(
  segments: readonly Segment[],
  parts: readonly string[],
): Record<string, string> | undefined {
  if (parts.length > segments.length) return undefined;
  const values: [string, string][] = [];
  for (const [index, segment] of segments.entries()) {
    const part = parts[index] ?? '';
    if ('literal' in segment) {
      if (part.toLowerCase() !== segment.literal) return undefined;
    } else if (part !== '') values.push([segment.param, part]);
    else if (!segment.optional) return undefined;
  }
  return Object.fromEntries(values);
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
