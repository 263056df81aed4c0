/** The text shown in place of a secret. */
export const MASK = '***';

/** `TokenURI` and `ClientID` are not secrets; `AuthorizationCode`, `KeyPassword` or `PWD` are. */
const SECRET = /(?:token|secret|password|code|key|^pwd)$/i;

/** Does an attribute of this name hold a secret? */
export function isSecret(name: string): boolean {
  return SECRET.test(name);
}
