/** Bytes of the longest form. More than oidc-provider accepts (56 KB), so that oidc-provider is the one that refuses. */
export const LONGEST_FORM = 64 * 1024;

/** The client that the request names, in the Authorization header or in the form. It is not authenticated. */
export function claimedClientId(
  authorization: string | undefined,
  form: URLSearchParams,
): string | undefined {
  const encoded = /^basic +(\S+)$/i.exec(authorization ?? '')?.[1];
  if (!encoded) return form.get('client_id') ?? undefined;
  const [id] = Buffer.from(encoded, 'base64').toString().split(':', 1);
  // RFC 6749 section 2.3.1: both halves are form-encoded before they become a Basic header.
  return new URLSearchParams(`id=${id}`).get('id') ?? undefined;
}
