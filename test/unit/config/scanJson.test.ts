import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { placesIn, scanJson } from '../../../lib/config/scanJson.ts';

describe('the first token that is not allowed is found', () => {
  it.each([
    ['nothing', '', 0],
    ['white space only', ' \n ', 3],
    ['a word', '{"a": nope}', 6],
    ['a comma after the last member', '{"a":1,}', 7],
    ['a comma after the last item', '[1,]', 3],
    ['a comma too many', '[1,,2]', 3],
    ['no comma', '{"a":1 "b":2}', 7],
    ['no colon', '{"a" 1}', 5],
    ['single quotes', "{'a':1}", 1],
    ['a comment', '{\n// a\n}', 2],
    ['a key without quotes', '{a:1}', 1],
    ['a missing end', '{"a":[1', 7],
    ['an end of the other kind', '{"a":1]', 6],
    ['text after the end', '{} {}', 3],
    ['a comma after the end', '{},', 2],
    ['a line end in a text', '["a\nb"]', 1],
    ['a zero in front', '[01]', 2],
    ['a colon in a list', '[1:2]', 2],
    ['a value for a key', '{1:2}', 1],
  ])('%s', (_, text, errorAt) => {
    expect(scanJson(text).errorAt).toBe(errorAt);
  });

  it('accepts hostile depth', () => {
    expect(scanJson('['.repeat(100_000)).errorAt).toBe(100_000);
    expect(scanJson('{"a":'.repeat(100_000)).errorAt).toBe(500_000);
  });

  it('accepts very long white space in linear time', () => {
    // 80 kB once took seven seconds, and the time grew with the square of the length.
    expect(scanJson(`{} ${' '.repeat(400_000)}x`).errorAt).toBe(400_003);
    expect(scanJson(`{}${'\n'.repeat(400_000)}`).errorAt).toBeUndefined();
  });

  it('agrees with JSON.parse about every text', () => {
    const mutated = fc
      .tuple(fc.json(), fc.nat(), fc.constantFrom('', ',', '}', '"', '\\', '0', ' ', 'e', ']'))
      .map(
        ([text, at, put]) =>
          `${text.slice(0, at % (text.length + 1))}${put}${text.slice((at % (text.length + 1)) + 1)}`,
      );
    fc.assert(
      fc.property(fc.oneof(fc.json(), mutated), (text) => {
        expect(scanJson(text).errorAt === undefined).toBe(isJson(text));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('repeated names are found with their path', () => {
  it.each([
    ['none', '{"a":{"b":1},"c":{"b":1}}', []],
    ['at the top', '{"a":1,"a":2}', [['a']]],
    ['inside', '{"a":{"b":1,"b":2}}', [['a', 'b']]],
    ['in a list', '{"a":[{}, {"b":1,"b":2}]}', [['a', '1', 'b']]],
    ['written differently', '{"a":1,"\\u0061":2}', [['a']]],
    ['with a name of every object', '{"__proto__":1,"__proto__":2,"toString":1}', [['__proto__']]],
  ])('%s', (_, text, repeated) => {
    expect(scanJson(text)).toEqual({ errorAt: undefined, repeated });
  });
});

function isJson(text: string): boolean {
  try {
    JSON.parse(text);
    return true;
  } catch {
    return false;
  }
}

describe('the place of a name', () => {
  const text = '{"a":1,"b":{"a":{"a":2},"c\\u0064":[{"e":0}]},"c":1,"c":2}';

  it.each([
    [['a'], text.indexOf('"a"')],
    [['b', 'a'], text.indexOf('"a":{')],
    [['b', 'a', 'a'], text.indexOf('"a":2')],
    [['b', 'cd'], text.indexOf('"c')],
    [['b', 'cd', '0', 'e'], text.indexOf('"e"')],
    [['c'], text.indexOf('"c":2')],
    [['d'], undefined],
    [[], undefined],
  ])('%j', (path, at) => expect(placesIn(text)(path)).toBe(at));
});
