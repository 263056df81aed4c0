import { type ReadAttribute, replaced } from './attributes.ts';

/** What stands in the place of a secret. */
export const MASK = '***';

/** `TokenURI` and `ClientID` are no secrets; `AuthorizationCode`, `KeyPassword` or `PWD` are. */
const SECRET = /(?:token|secret|password|code|key|^pwd)$/i;

/** Does an attribute of this name hold a secret? */
export function isSecret(name: string): boolean {
  return SECRET.test(name);
}

/**
 * The text with a mask in the place of each secret value.
 * @param attributes what was read from the text
 */
export function masked(text: string, attributes: readonly ReadAttribute[]): string {
  const secrets = attributes.filter(({ name, from, to }) => isSecret(name) && to > from);
  return secrets.toReversed().reduce((shown, attribute) => replaced(shown, attribute, MASK), text);
}
