/** Any version that the local vault accepts; the current one of the secrets data plane when this was written. */
export const API_VERSION = '2025-07-01';

/** Calls a local vault as curl does: over plain HTTP, with the bearer token of the caller. */
export function callVault(
  { url }: { readonly url: string },
  bearer: string,
  method: string,
  secret: string,
  body?: object,
): Promise<Response> {
  return fetch(`${url}/secrets/${secret}?api-version=${API_VERSION}`, {
    method,
    headers: { authorization: `Bearer ${bearer}`, 'content-type': 'application/json' },
    ...(body && { body: JSON.stringify(body) }),
  });
}
