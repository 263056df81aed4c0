import type { RequestListener } from 'node:http';

/** The names of this machine in a Host header (RFC 9110 section 7.2), with or without a port. */
const OWN_HOST = /^(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?$/i;

/**
 * Refuses requests whose Host header names another host. A web page can bind its own host name to this machine (DNS rebinding)
 * and then read the responses of a local server, but the browser sends the name of the page.
 * @returns a listener that responds 421 to such a request, and passes on all others
 */
export function forOwnHost(listener: RequestListener): RequestListener {
  return (request, response) => {
    if (OWN_HOST.test(request.headers.host ?? '')) return listener(request, response);
    // The connection closes, so that a large body is not read.
    response.writeHead(421, { connection: 'close', 'content-type': 'text/plain' });
    response.end('This server responds only to localhost, 127.0.0.1 and [::1].\n');
  };
}
