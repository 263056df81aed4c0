import type { Route } from './routing.ts';
import type { RecordedRequest } from './types.ts';

/** A recorded request without its outcome, which is added later. */
export type OpenRecord = { -readonly [Key in keyof RecordedRequest]: RecordedRequest[Key] };

/** The record of a request that has just arrived. */
export function openRecord(method: string, route: Route, bearerIdentity: string | undefined): OpenRecord {
  const { operation, path, secretName, version } = route;
  return {
    method,
    path,
    operation,
    ...(secretName === undefined ? {} : { secretName }),
    ...(version === undefined ? {} : { version }),
    ...(bearerIdentity === undefined ? {} : { bearerIdentity }),
    status: 0,
    executed: false,
  };
}
