/** Why there is no access token. A code is stable: programs may rely on it. */
export type TokenUnavailableCode =
  /** The secret does not exist or is disabled: the rotator has not obtained a first token. */
  | 'token_not_published'
  /** The vault responds, but its token has expired: the rotator is behind. */
  | 'token_expired'
  /** The secret holds something other than an access token of the rotator; the reader does not return it. */
  | 'not_an_access_token'
  /** The credential returned no token for the vault. */
  | 'sign_in_failed'
  | 'vault_forbidden'
  | 'vault_unavailable';

/**
 * The only error that a token reader throws. Like every error of this program it has no `cause`: the errors of the SDK contain
 * requests, and with them the token for the vault.
 */
export class TokenUnavailable extends Error {
  override readonly name = 'TokenUnavailable';
  readonly code: TokenUnavailableCode;
  /** What to do, one sentence. */
  readonly fix: string;

  /** @param message what happened, one sentence */
  constructor(code: TokenUnavailableCode, message: string, fix: string) {
    super(message);
    this.code = code;
    this.fix = fix;
  }
}
