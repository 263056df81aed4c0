/** A cookie jar for one login at one host: it keeps names and values, but no domains, paths or dates. */
export class CookieJar {
  readonly #cookies = new Map<string, string>();

  /** Stores the cookies that a response sets. oidc-provider deletes a cookie by setting an empty value. */
  store(headers: Headers): void {
    for (const line of headers.getSetCookie()) {
      const pair = line.split(';', 1)[0] ?? '';
      const [name, value] = [pair.slice(0, pair.indexOf('=')), pair.slice(pair.indexOf('=') + 1)];
      if (value === '') this.#cookies.delete(name);
      else this.#cookies.set(name, value);
    }
  }

  /** The Cookie header. */
  header(): string {
    return [...this.#cookies].map(([name, value]) => `${name}=${value}`).join('; ');
  }
}
