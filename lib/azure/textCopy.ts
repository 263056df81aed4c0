/** The same text. A part of a text keeps the whole text in memory, so what stays there for each connection is a copy. */
export function copyOf(text: string): string {
  return Buffer.from(text).toString();
}
