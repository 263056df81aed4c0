import type { IncomingMessage } from 'node:http';

/** More than oidc-provider takes (56 KB), so that it is the one to refuse. */
const LIMIT = 64 * 1024;

/** The body of a token request, or undefined where it is far too long. */
export async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  let length = 0;
  // Leaving the loop must not destroy the connection: there is an answer to send.
  for await (const chunk of request.iterator({ destroyOnReturn: false })) {
    length += chunk.length;
    if (length > LIMIT) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}

/** Which client says it is asking: from the Authorization header or the form. Not authenticated. */
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
