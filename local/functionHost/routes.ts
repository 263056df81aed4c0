import { type FunctionRegistry, type RegisteredFunction, triggerOf } from './coreApi.ts';
import { constraintTest } from './routeConstraints.ts';

/** A request's function and the values of its route's parameters. */
export interface RouteMatch {
  readonly name: string;
  readonly params: Readonly<Record<string, string>>;
}

/** Finds the function for a method and a path (percent-encoded, without the query), or undefined. */
export type Router = (method: string, path: string) => RouteMatch | undefined;

interface Segment {
  readonly literal?: string;
  readonly param?: string;
  readonly optional: boolean;
  readonly catchAll: boolean;
  readonly fallback?: string;
  readonly tests: readonly ((value: string) => boolean)[];
}

interface Route {
  readonly name: string;
  readonly methods: ReadonlySet<string>;
  readonly segments: readonly Segment[];
}

/**
 * Routes of all HTTP functions: prefix from host.json plus the registered route (the function's name where there is none).
 * As in the real host, literals are compared without case, a literal goes before a parameter, and a route that exists for
 * other methods only is no match (404, not 405; HEAD is not answered by a GET route).
 */
export function createRouter(
  { functions }: Pick<FunctionRegistry, 'functions'>,
  routePrefix: string,
): Router {
  const routes = [...functions.values()].flatMap((fn) => toRoute(fn, routePrefix)).sort(byPrecedence);
  return (method, path) => {
    const parts = splitPath(path);
    for (const { name, methods, segments } of routes) {
      const params = methods.has(method.toUpperCase()) ? matchSegments(segments, parts) : undefined;
      if (params !== undefined) return { name, params };
    }
    return undefined;
  };
}

function toRoute(fn: RegisteredFunction, prefix: string): Route[] {
  const trigger = triggerOf(fn);
  if (trigger.type?.toLowerCase() !== 'httptrigger') return [];
  const template = `${prefix}/${trigger.route ?? fn.name}`;
  try {
    const methods = new Set((trigger.methods ?? []).map((method) => method.toUpperCase()));
    return [{ name: fn.name, methods, segments: splitTemplate(template).map(parseSegment) }];
  } catch (error) {
    throw new Error(`Function "${fn.name}": route "${template}": ${(error as Error).message}`);
  }
}

/** Splits at slashes that stand outside braces: a regular expression in a constraint may hold one. */
function splitTemplate(template: string): string[] {
  return template.match(/(?:\{(?:\{\{|\}\}|[^{}])*\}|[^/])+/g) ?? [];
}

function parseSegment(text: string): Segment {
  if (!/[{}]/.test(text)) return { literal: text.toLowerCase(), optional: false, catchAll: false, tests: [] };
  const [, stars = '', param = '', rest = ''] = /^\{(\*{0,2})(\w+)(.*)\}$/.exec(text) ?? [];
  const [constraints = ''] = /^(?::\w+(?:\((?:[^()]|\([^()]*\))*\))?)*/.exec(rest) ?? [];
  const ending = rest.slice(constraints.length);
  if (param === '' || !/^(\?|=.*)?$/.test(ending)) {
    throw new Error(`segment "${text}" is not supported; use {name}, {name:constraint} or {*name}.`);
  }
  const fallback = ending.startsWith('=') ? { fallback: ending.slice(1) } : {};
  const tests = constraints
    .split(/:(?=\w+(?:\(|:|$))/)
    .slice(1)
    .map(constraintTest);
  return { param, optional: ending !== '', catchAll: stars !== '', tests, ...fallback };
}

function matchSegments(
  segments: readonly Segment[],
  parts: readonly string[],
): Record<string, string> | undefined {
  const values: [string, string][] = [];
  for (const [index, segment] of segments.entries()) {
    const part = segment.catchAll ? parts.slice(index).join('/') : parts[index];
    if (segment.literal !== undefined) {
      if (part?.toLowerCase() !== segment.literal) return undefined;
      continue;
    }
    const value = part === undefined || part === '' ? segment.fallback : part;
    if (value === undefined && !segment.optional && !segment.catchAll) return undefined;
    if (value !== undefined && !segment.tests.every((test) => test(value))) return undefined;
    if (value !== undefined) values.push([segment.param ?? '', value]);
  }
  const open = segments.at(-1)?.catchAll === true;
  return parts.length <= segments.length || open ? Object.fromEntries(values) : undefined;
}

/** A trailing slash counts for nothing; `%2F` stays as it is, so that it cannot make a segment. */
function splitPath(path: string): string[] {
  const trimmed = path.replace(/^\//, '').replace(/\/$/, '');
  return trimmed === '' ? [] : trimmed.split('/').map((part) => part.split(/(%2f)/i).map(decode).join(''));
}

function decode(text: string): string {
  if (/^%2f$/i.test(text)) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function byPrecedence(a: Route, b: Route): number {
  for (let index = 0; index < Math.min(a.segments.length, b.segments.length); index++) {
    const difference = rank(a.segments[index]) - rank(b.segments[index]);
    if (difference !== 0) return difference;
  }
  return a.segments.length - b.segments.length;
}

function rank(segment: Segment | undefined): number {
  if (segment === undefined || segment.literal !== undefined) return 1;
  return (segment.catchAll ? 4 : 2) + (segment.tests.length === 0 ? 1 : 0);
}
