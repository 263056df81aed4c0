import { hash } from 'node:crypto';

/**
 * Which version holds the value that this process published last under each name, so that it does not write the same
 * value twice. Only digests are kept. The caller checks whether that version is still the latest.
 */
export class PublishedValues {
  readonly #byName = new Map<string, { readonly digest: string; readonly version: string }>();

  /** The version that holds this value; undefined if the value must be written. */
  versionOf(name: string, value: string): string | undefined {
    const known = this.#byName.get(name.toLowerCase());
    return known?.digest === digestOf(value) ? known.version : undefined;
  }

  /** Notes that the value was written as the version. */
  remember(name: string, value: string, version: string): void {
    this.#byName.set(name.toLowerCase(), { digest: digestOf(value), version });
  }
}

function digestOf(value: string): string {
  return hash('sha256', value, 'base64');
}
