/** Thrown by {@link withDeadline}; adapters turn it into a `RotatorError`. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';

  constructor(ms: number) {
    super(`No response within ${ms} ms.`);
  }
}

/**
 * Gives work a time limit that applies even if the work ignores the signal, as some credentials do.
 * @param ms time limit in milliseconds
 * @param controller aborted when the time is up or the work fails
 * @throws DeadlinePassed when the time is up; otherwise what the work throws
 */
export function withDeadline<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  controller = new AbortController(),
): Promise<T> {
  const { promise, resolve, reject } = Promise.withResolvers<T>();
  const timer = setTimeout(() => {
    // Rejected first, so that the caller sees this error and not the SDK's abort error.
    reject(new DeadlinePassed(ms));
    controller.abort();
  }, ms);
  const failed = (thrown: unknown) => {
    clearTimeout(timer);
    // What failed work left open, such as a body that it did not read, ends with it.
    controller.abort(thrown);
    reject(thrown);
  };
  // In a function of its own, so that what it throws immediately counts as well.
  const run = async () => work(controller.signal);
  run().then((result) => {
    clearTimeout(timer);
    resolve(result);
  }, failed);
  return promise;
}
