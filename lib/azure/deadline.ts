/** Thrown by {@link withDeadline}; adapters turn it into a `RotatorError`. */
export class DeadlinePassed extends Error {
  override readonly name = 'DeadlinePassed';

  constructor(ms: number) {
    super(`No answer within ${ms} ms.`);
  }
}

/**
 * Gives work a time limit that holds even where the work does not heed the signal: not every credential does.
 * @param ms time limit in milliseconds
 * @param controller aborted when the time is up
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
      // Rejected first: the caller is to see the deadline and not the SDK's name for it.
      reject(new DeadlinePassed(ms));
      controller.abort();
    }, ms);
  });
  try {
    return await Promise.race([work(controller.signal), deadline]);
  } finally {
    clearTimeout(timer);
  }
}
