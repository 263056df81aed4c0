import { expect, test } from 'vitest';
import { createRouter } from '../../../local/functionHost/routes.ts';

/** A router over GET functions that are named like their routes. */
function routerOf(routes: readonly string[], prefix = 'api') {
  const functions = routes.map((route) => {
    const bindings = { request: { type: 'httpTrigger', methods: ['GET'], route } };
    return [route, { name: route, metadata: { name: route, bindings }, callback: () => {} }] as const;
  });
  return createRouter({ functions: new Map(functions) }, prefix);
}

test.each([
  ['a', '/api/A/', {}],
  ['{x}', '/api/value', { x: 'value' }],
  ['{x?}', '/api', {}],
  ['{x=fallback}', '/api', { x: 'fallback' }],
  ['a/{*rest}', '/api/a/b/c', { rest: 'b/c' }],
  ['{x}/{y}', '/api/%C3%A4/%zz', { x: 'ä', y: '%zz' }],
  ['{x:int}', '/api/-5', { x: '-5' }],
  ['{x:guid}', '/api/00000000-0000-0000-0000-000000000000', { x: '00000000-0000-0000-0000-000000000000' }],
  ['{x:alpha:length(2,3)}', '/api/abc', { x: 'abc' }],
  ['{x:range(1,9)}', '/api/9', { x: '9' }],
  ['{x:regex(^[a-z-]{{1,5}}$)}', '/api/ab-c', { x: 'ab-c' }],
  ['{x:regex(^(a|b)/?$)?}', '/api/b', { x: 'b' }],
])('%s takes %s', (route, path, params) => {
  expect(routerOf([route])('GET', path)).toEqual({ name: route, params });
});

test.each([
  ['{x}', '/api'],
  ['{x}', '/api//'],
  ['{x:int}', '/api/2147483648'],
  ['{x:alpha:length(2,3)}', '/api/a1'],
  ['{x:bool}', '/api/yes'],
  ['{x:min(5)}', '/api/4'],
  ['{x:max(5)}', '/api/6'],
  ['{x:minlength(2)}', '/api/a'],
  ['{x:regex(^[a-z-]{{1,5}}$)}', '/api/abcdef'],
  ['a/{x:long}', '/api/a/b'],
  ['a/{x:decimal}', '/api/a/1.2.3'],
])('%s does not take %s', (route, path) => {
  expect(routerOf([route])('GET', path)).toBeUndefined();
});

test('the more definite route wins, in whatever order they are registered', () => {
  const route = routerOf(['{*rest}', '{x}', '{x:int}', 'fixed']);
  const names = ['fixed', '12', 'word', 'two/words'].map((path) => route('GET', `/api/${path}`)?.name);
  expect(names).toEqual(['fixed', '{x:int}', '{x}', '{*rest}']);
});

test('the prefix may be empty or several segments', () => {
  expect(routerOf(['a'], '')('GET', '/a')).toBeDefined();
  expect(routerOf(['a'], 'x/y')('GET', '/x/y/a')).toBeDefined();
});

test.each([
  ['{x:unknown}', 'constraint "unknown" is not known.'],
  ['a{x}', 'segment "a{x}" is not supported; use {name}, {name:constraint} or {*name}.'],
])('a route that cannot be read is named: %s', (route, problem) => {
  expect(() => routerOf([route])).toThrow(`Function "${route}": route "api/${route}": ${problem}`);
});
