import type { VaultResponse } from './types.ts';

interface VaultErrorDetails {
  readonly innerCode?: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/** A refusal in Key Vault's terms: HTTP status, code and, if the service has one, an inner code. */
export class VaultError extends Error {
  override readonly name = 'VaultError';
  readonly status: number;
  readonly code: string;
  readonly details: VaultErrorDetails;

  constructor(status: number, code: string, message: string, details: VaultErrorDetails = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }
}

/** 400: a part of the request does not have the form that the service requires. */
export function badParameter(message: string): VaultError {
  return new VaultError(400, 'BadParameter', message);
}

/** 404: the secret or version does not exist (or it is deleted). */
export function secretNotFound(nameAndVersion: string): VaultError {
  const message = `A secret with (name/id) ${nameAndVersion} was not found in this key vault. It may have been deleted; a deleted secret can be recovered.`;
  return new VaultError(404, 'SecretNotFound', message);
}

/** 403: the service does not return the value of a disabled version. */
export function secretDisabled(): VaultError {
  return new VaultError(403, 'Forbidden', 'Operation get is not allowed on a disabled secret.', {
    innerCode: 'SecretDisabled',
  });
}

/** 409: the name belongs to a secret that is deleted but not yet purged. */
export function nameIsDeleted(name: string): VaultError {
  const message = `Secret ${name} is currently in a deleted but recoverable state: its name is taken until it is recovered or purged.`;
  return new VaultError(409, 'Conflict', message, { innerCode: 'ObjectIsDeletedButRecoverable' });
}

/** 429: more new versions than the vault accepts in ten seconds. */
export function throttled(retryAfterSeconds: number): VaultError {
  const message = `Too many requests were received. Try again in ${retryAfterSeconds} s.`;
  return new VaultError(429, 'Throttled', message, { headers: { 'retry-after': String(retryAfterSeconds) } });
}

/** The response for any thrown value; for an unexpected error, it shows no details. */
export function responseOf(error: unknown): VaultResponse {
  if (!(error instanceof VaultError)) {
    return { status: 500, body: errorBody('InternalServerError', 'The local vault failed.') };
  }
  const { innerCode, headers } = error.details;
  return {
    status: error.status,
    ...(headers === undefined ? {} : { headers }),
    body: errorBody(error.code, error.message, innerCode),
  };
}

function errorBody(code: string, message: string, innerCode?: string): unknown {
  return {
    error: { code, message, ...(innerCode === undefined ? {} : { innererror: { code: innerCode } }) },
  };
}
