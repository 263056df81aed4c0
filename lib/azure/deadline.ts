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
export async function withDeadline<T>(
  ms: number,
  work: (signal: AbortSignal) => Promise<T>,
  controller = new AbortController(),
): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const deadline = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      // Rejected first, so that the caller sees this error and not the SDK's abort error.
      reject(new DeadlinePassed(ms));
      controller.abort();
    }, ms);
  });
  try {
    return await Promise.race([work(controller.signal), deadline]);
  } catch (thrown) {
    // What failed work left open, such as a body that it did not read, ends with it.
    controller.abort(thrown);
    throw thrown;
  } finally {
    clearTimeout(timer);
  }
}
