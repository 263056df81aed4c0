/** What to do about a text for which {@link isOtherEncoding}. */
export const SAVE_AS_UTF8 =
  'Save it as UTF-8. Windows PowerShell 5 writes UTF-16 by default; use Out-File -Encoding utf8.';

/** UTF-16 that was read as UTF-8: its mark becomes replacement characters, and every other byte of ASCII is zero. */
export function isOtherEncoding(text: string): boolean {
  return text.startsWith('\ufffd') || text.includes('\0');
}
