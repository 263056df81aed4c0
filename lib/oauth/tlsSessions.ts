import tls, { type SecureContext } from 'node:tls';

/** A session has about two kilobytes. */
const MOST_HOSTS = 1_000;

/**
 * What the connections of one program have in common: the certificates that are trusted, which are prepared once, and the last session
 * with each host (RFC 8446 section 2.2), whose next handshake costs half, because the certificate was checked before.
 */
export class TlsSessions {
  readonly #ca: string | undefined;
  readonly #sessions = new Map<string, Buffer>();
  #context: SecureContext | undefined;

  /** @param ca certificates (PEM) to trust instead of those that Node trusts */
  constructor(ca?: string) {
    this.#ca = ca;
  }

  /** For `tls.connect`. */
  get secureContext(): SecureContext {
    this.#context ??= tls.createSecureContext({
      minVersion: 'TLSv1.2',
      ...(this.#ca !== undefined && { ca: this.#ca }),
    });
    return this.#context;
  }

  /** @param host with its port, as in `URL.host` */
  of(host: string): Buffer | undefined {
    return this.#sessions.get(host);
  }

  /** Remembers the last session that a server offers. Of many hosts, those that come last are remembered. */
  remember(host: string, session: Buffer): void {
    this.#sessions.delete(host);
    this.#sessions.set(host, session);
    const [oldest] = this.#sessions.keys();
    if (oldest !== undefined && this.#sessions.size > MOST_HOSTS) this.#sessions.delete(oldest);
  }
}
