/** As much of a cookie jar as one login against one host needs: names and values, no domains, paths or dates. */
export class CookieJar {
  readonly #cookies = new Map<string, string>();

  /** Takes over what an answer sets; an empty value is how oidc-provider deletes. */
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
