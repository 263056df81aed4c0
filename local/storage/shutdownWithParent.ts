/**
 * Loaded into Azurite's process before Azurite. Azurite ends in an orderly way, its metadata saved, when it gets the
 * message `shutdown`; here the end of the channel to the parent counts as that message. So it ends with its parent,
 * however the parent ended, and the same way on every system (on Windows a signal would kill it).
 */
process.once('disconnect', () => {
  const shutDown = () => process.emit('message', 'shutdown', undefined);
  if (shutDown()) return;
  // Azurite serves requests some moments before it listens to messages: ended at once, it would lose what it was told by then.
  process.on('newListener', (name) => {
    if (name === 'message') setImmediate(shutDown);
  });
});
