/**
 * Loaded into Azurite's process before Azurite.
 *
 * On the message `shutdown`, Azurite saves its metadata and ends in an orderly way. Here, the end of the channel to the parent
 * counts as that message. So Azurite ends with its parent, however the parent ended, and in the same way on every system (on
 * Windows, a signal would kill it).
 *
 * Azurite has no option for the other two: its files are for their owner only, and it refuses requests to another host.
 */
import http, { type RequestListener } from 'node:http';
import { forOwnHost } from '../ownHost.ts';

process.umask(0o077);

const on = http.Server.prototype.on;
http.Server.prototype.on = function (this: http.Server, event: string, listener: RequestListener) {
  return Reflect.apply(on, this, [event, event === 'request' ? forOwnHost(listener) : listener]);
} as typeof on;

process.once('disconnect', () => {
  const shutDown = () => process.emit('message', 'shutdown', undefined);
  if (shutDown()) return;
  // Azurite serves requests shortly before it listens to messages. If it ended immediately, it would lose the writes so far.
  process.on('newListener', (name) => {
    if (name === 'message') setImmediate(shutDown);
  });
});
