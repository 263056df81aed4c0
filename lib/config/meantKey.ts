import { nearest } from './nearest.ts';

/** What other programs and documents call the fields of an entry, in lower case without marks. */
const OTHER_NAMES: Readonly<Record<string, string>> = {
  accesstokenuri: 'tokenUri',
  accesstokenurl: 'tokenUri',
  audience: 'parameters.audience',
  authmethod: 'clientAuthentication',
  authenticationmethod: 'clientAuthentication',
  baseurl: 'serviceUrl',
  credentialvault: 'vaults.credential',
  directoryid: 'tenant',
  expiresin: 'accessTokenLifetime',
  grace: 'refreshTokenGrace',
  graceperiod: 'refreshTokenGrace',
  instanceurl: 'serviceUrl',
  keyvault: 'vaults.credential',
  keyvaulturl: 'vaults.credential',
  lifetime: 'accessTokenLifetime',
  password: 'secrets.clientSecret',
  refreshbefore: 'renewBefore',
  revocationendpoint: 'revocationUri',
  revokeurl: 'revocationUri',
  secret: 'secrets.clientSecret',
  tokenendpoint: 'tokenUri',
  tokenendpointauthmethod: 'clientAuthentication',
  tokenlifetime: 'accessTokenLifetime',
  tokenvault: 'vaults.token',
  vault: 'vaults.credential',
  vaulturl: 'vaults.credential',
};
/** Times are in seconds. */
const UNIT = /(in)?(milliseconds|millis|ms|seconds|secs|sec|minutes|mins|min)$/;

/** The key without marks and case: "client_secret" and "ClientSecret" are the same. */
function plainKey(key: string): string {
  return key.toLowerCase().replace(/[_-]/g, '');
}

/** The known key that is spelled like this one, apart from marks and case. */
export function sameKey(key: string, known: readonly string[]): string | undefined {
  return known.find((each) => plainKey(each) === plainKey(key));
}

/** The field that an unknown key probably means, as a path such as `vaults.token`; undefined if none is close. */
export function meantField(key: string, known: readonly string[]): string | undefined {
  const other = OTHER_NAMES[plainKey(key)];
  if (other !== undefined && known.includes(keyOf(other))) return other;
  return sameKey(withoutUnit(key), known) ?? nearest(key, known);
}

/** The first key of a path. */
export function keyOf(field: string): string {
  return field.split('.', 1)[0] ?? field;
}

/** Does the key name a unit of time, which the known keys do not have? */
export function hasUnit(key: string): boolean {
  return withoutUnit(key) !== plainKey(key);
}

function withoutUnit(key: string): string {
  return plainKey(key).replace(UNIT, '');
}

/** The key that a key for the name of a secret means: "refreshTokenSecret" and "refresh_token_secret_name" mean "refreshToken". */
export function secretOfName(key: string, known: readonly string[]): string | undefined {
  const plain = plainKey(key);
  return ['name', 'secret', 'secretname']
    .filter((ending) => plain.endsWith(ending))
    .map((ending) => sameKey(plain.slice(0, -ending.length), known))
    .find((found) => found !== undefined);
}
