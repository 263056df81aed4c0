import { describe, expect, test } from 'vitest';
import { compileRule, findPhrases, type LanguageRule } from '../../../scripts/language/findPhrases.ts';
import rules from '../../../scripts/language/rules.json' with { type: 'json' };

const found = (text: string, rule: LanguageRule, file = 'lib/rotation/x.ts') =>
  findPhrases(file, text, [compileRule(rule)]);

describe.each(rules)('the rule "$name"', (rule) => {
  test.each(rule.matches)('finds: %s', (text) => expect(found(text, rule)).not.toEqual([]));

  test.each(rule.passes)('does not find: %s', (text) => expect(found(text, rule)).toEqual([]));
});

test('each rule has a unique name, and a better phrase that no rule finds', () => {
  expect(new Set(rules.map(({ name }) => name)).size).toBe(rules.length);
  const compiled = rules.map(compileRule);
  expect(rules.flatMap(({ better }) => findPhrases('README.md', better, compiled))).toEqual([]);
});

describe('a phrase', () => {
  const rule = { name: 'lost token', find: 'lost tokens?', better: 'token' };

  test.each([
    'lost token',
    'LOST TOKENS',
    'lostToken',
    'LOST_TOKEN_MS',
    'theLostTokens2',
    'isHTTPLostToken',
    'lost\ntokens',
    '/**\n * of a lost\n * token\n */',
    '  // of a lost\n  // token',
    '> lost\n> token',
  ])('is found in: %j', (text) => expect(found(text, rule)).toHaveLength(1));

  test.each(['almost tokens', 'lost tokenizer', 'losttoken', 'lost a token', 'lost, token'])(
    'is not found in: %s',
    (text) => expect(found(text, rule)).toEqual([]),
  );

  test('is reported with its file, its first line and its exact words', () => {
    const text = 'one\nconst x = 1; // the lost\n//   Token\nlostTokens();\n';
    expect(found(text, rule).map(({ file, line, phrase }) => [file, line, phrase])).toEqual([
      ['lib/rotation/x.ts', 2, 'lost // Token'],
      ['lib/rotation/x.ts', 4, 'lostTokens'],
    ]);
  });

  test('is found only in the paths of its rule', () => {
    const here = { ...rule, onlyIn: ['lib/', 'README.md'] };
    expect(found('lost token', here, 'lib/x.ts')).toHaveLength(1);
    expect(found('lost token', here, 'docs/lib/x.md')).toEqual([]);
    const elsewhere = { ...rule, allowedIn: ['lib/oauth/'] };
    expect(found('lost token', elsewhere, 'lib/oauth/x.ts')).toEqual([]);
    expect(found('lost token', elsewhere, 'lib/x.ts')).toHaveLength(1);
  });
});
