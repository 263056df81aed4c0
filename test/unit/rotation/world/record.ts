import type { ErrorCode } from '../../../../lib/errors.ts';
import { type ConnectionRecord, failed, newRecord } from '../../../../lib/rotation/core/record.ts';
import { problemWith } from '../../../support/problem.ts';

/** A new record with these changes, by default of `crm`. */
export function recordNamed(name = 'crm', changes: Partial<ConnectionRecord> = {}): ConnectionRecord {
  return { ...newRecord(name), ...changes };
}

/** The published access token as a record describes it; times in milliseconds. */
export function tokenTimes(
  issuedAt: number,
  expiresAt: number,
): NonNullable<ConnectionRecord['accessToken']> {
  return { issuedAt, expiresAt, expiresInIsDefault: false };
}

/** The record after a failure at this time that does not affect the refresh token. */
export function failing(
  record: ConnectionRecord,
  now: number,
  { blocked = false, code = 'vault_unavailable' }: { blocked?: boolean; code?: ErrorCode } = {},
) {
  return failed(record, problemWith(code), { blocked, clearedBy: [], fingerprint: 'crm-1' }, now);
}
