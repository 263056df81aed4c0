import { classifyFailure } from '../../lib/oauth/classifyFailure.ts';
import { readTokenResponse } from '../../lib/oauth/readTokenResponse.ts';
import { sanitizer } from '../../lib/oauth/sanitize.ts';
import type { Connection } from '../../lib/rotation/core/connection.ts';
import type { TokenResponse } from '../../lib/rotation/core/tokenRequest.ts';

/** What the product makes of a JSON response. @param now milliseconds since the epoch */
export function readResponse(
  connection: Connection,
  { status, body: json }: { readonly status: number; readonly body: object },
  now: number,
): TokenResponse {
  const body = Buffer.from(JSON.stringify(json));
  const response = readTokenResponse(body, connection.behavior);
  const { refreshToken, refreshTokenLifetimeMs, accessToken, error } = response ?? {};
  const received = {
    ...(refreshToken !== undefined && { refreshToken }),
    ...(refreshTokenLifetimeMs !== undefined && { refreshTokenLifetimeMs }),
  };
  const isUsable = status === 200 && !error && typeof accessToken === 'object';
  if (isUsable) return { ...received, accessToken };
  const headers = { contentType: 'application/json', contentEncoding: undefined, retryAfter: undefined };
  const result = { kind: 'response', status, body, ...headers } as const;
  const context = { connection, now, sanitize: sanitizer([]) };
  return { ...received, failure: classifyFailure(result, response, context) };
}
