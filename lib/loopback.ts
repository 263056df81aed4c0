/**
 * Does the host name of a parsed URL mean this machine?
 * @param hostname as `URL` returns it: the parser normalizes every way to write an IP address
 */
export function isLoopback(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127(\.\d{1,3}){3}$/.test(hostname);
}
