/**
 * Loaded into Azurite's process before Azurite. On the message `shutdown`, Azurite saves its metadata and
 * ends in an orderly way. Here, the end of the channel to the parent counts as that message. So Azurite ends with its parent,
 * however the parent ended, and in the same way on every system (on Windows, a signal would kill it).
 */
process.once('disconnect', () => {
  const shutDown = () => process.emit('message', 'shutdown', undefined);
  if (shutDown()) return;
  // Azurite serves requests shortly before it listens to messages. If it ended immediately, it would lose the writes so far.
  process.on('newListener', (name) => {
    if (name === 'message') setImmediate(shutDown);
  });
});
