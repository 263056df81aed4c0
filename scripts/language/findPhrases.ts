/** A phrase or an old identifier that no text of the repository should have. */
export interface LanguageRule {
  /** Short, for the summary. */
  readonly name: string;
  /**
   * A regular expression that ignores case. A blank also matches the end of a line, and the change from one word to the next in
   * an identifier: `lost token` finds `lostToken` and `LOST_TOKEN`. It matches whole words only.
   */
  readonly find: string;
  /** What to write instead. */
  readonly better: string;
  /** Prefixes of the paths that the rule is for; all files if missing. */
  readonly onlyIn?: readonly string[];
  /** Prefixes of the paths that may keep the phrase. */
  readonly allowedIn?: readonly string[];
}

export interface Finding {
  readonly file: string;
  /** Counted from 1. */
  readonly line: number;
  readonly phrase: string;
  readonly rule: LanguageRule;
}

/** The characters between two words: blanks, a line end, and the beginning of the next line in a comment, a list or a quotation. */
const GAP = '[\\s*/#>]+';

/** A rule with its compiled regular expression. */
export interface CompiledRule extends LanguageRule {
  readonly pattern: RegExp;
}

/** @throws SyntaxError if the regular expression of a rule is not valid */
export function compileRule(rule: LanguageRule): CompiledRule {
  const words = rule.find.replaceAll(' ', GAP);
  return { ...rule, pattern: new RegExp(`(?<![a-z])(?:${words})(?![a-z])`, 'gi') };
}

/**
 * @param file path from the top of the repository, with forward slashes
 * @returns what the rules find, in the order of the lines
 */
export function findPhrases(file: string, text: string, rules: readonly CompiledRule[]): Finding[] {
  const begins = (path: string) => file.startsWith(path);
  const { words, offsets } = splitIdentifiers(text);
  return rules
    .filter(({ onlyIn, allowedIn }) => (onlyIn?.some(begins) ?? true) && !allowedIn?.some(begins))
    .flatMap((rule) =>
      [...words.matchAll(rule.pattern)].map((match) => {
        const [start, end] = [
          offsets[match.index] ?? 0,
          offsets[match.index + match[0].length] ?? text.length,
        ];
        const line = text.slice(0, start).split('\n').length;
        return { file, line, phrase: text.slice(start, end).replace(/\s+/g, ' ').trim(), rule };
      }),
    )
    .toSorted((one, other) => one.line - other.line);
}

/** Puts a blank between the words of each identifier. `offsets` maps each place in `words` to its place in the text. */
function splitIdentifiers(text: string): { words: string; offsets: readonly number[] } {
  const offsets: number[] = [];
  let words = '';
  for (let index = 0; index < text.length; index++) {
    const [before = '', character = '', after = ''] = [text[index - 1], text[index], text[index + 1]];
    const begins = /[a-z0-9]/.test(before) || (/[A-Z]/.test(before) && /[a-z]/.test(after));
    if (/[A-Z]/.test(character) && begins) {
      words += ' ';
      offsets.push(index);
    }
    words += character === '_' ? ' ' : character;
    offsets.push(index);
  }
  return { words, offsets };
}
