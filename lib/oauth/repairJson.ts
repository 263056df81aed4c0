import { looksLikeToken } from './tokenText.ts';

/** A string that is not closed reaches to the end: so each expression reads a text once, whatever is in it. */
const STRING = String.raw`"(?:[^"\\]+|\\[\s\S])*(?:"|$)`;
const COMMENTS = new RegExp(String.raw`${STRING}|\/\*[\s\S]*?(?:\*\/|$)|\/\/[^\n]*`, 'g');
const LAST_COMMAS = new RegExp(String.raw`${STRING}|,(?=\s*[}\]])`, 'g');

/**
 * JSON without usual slips: comments, commas before an end, line ends and unknown escapes in strings. U+FFFD replaces what a string has
 * lost. The result may still be invalid.
 */
export function repairJson(text: string): string {
  return text
    .replace(COMMENTS, (part) => (part.startsWith('"') ? repairString(part) : ' '))
    .replace(LAST_COMMAS, (part) => (part === ',' ? '' : part));
}

function repairString(text: string): string {
  return text.replace(/\\["\\/bfnrtu]|\\|\p{Cc}/gu, (part) => (part.length === 2 ? part : '\ufffd'));
}

/**
 * The only refresh token in a text that cannot be repaired: the value after the name in quotes. It must look like a token, and is
 * returned with the names of the objects around it.
 * @returns undefined if there is none, or more than one, or the text has several access tokens
 */
export function quotedRefreshToken(text: string): object | undefined {
  const found = new Map<string, readonly string[]>();
  const accessTokens = new Set<string>();
  const path: string[] = [];
  let name = '';
  let end = 0;
  for (const { 0: quoted, index } of text.matchAll(new RegExp(STRING, 'g'))) {
    const between = text.slice(end, index);
    for (const [brace] of between.matchAll(/[{}]/g)) {
      if (brace === '{') path.push(name);
      else path.pop();
    }
    const isValue = between.trim() === ':';
    if (isValue && name === 'refresh_token') found.set(quoted, path.slice(1));
    if (isValue && name === 'access_token') accessTokens.add(quoted);
    name = quoted.slice(1, -1);
    end = index + quoted.length;
  }
  const [only] = found;
  const token = only && textIn(only[0]);
  if (found.size !== 1 || accessTokens.size > 1 || token === undefined || !looksLikeToken(token))
    return undefined;
  return only?.[1].reduceRight<object>((inside, each) => ({ [each]: inside }), { refresh_token: token });
}

function textIn(quoted: string): string | undefined {
  try {
    return JSON.parse(quoted);
  } catch {
    return undefined;
  }
}
