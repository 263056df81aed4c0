import type { Unreadable } from '../../lib/connectionString/attributes.ts';
import { RotatorError } from '../../lib/errors.ts';

/** The rotator's own error that the action throws; anything else fails the test. */
export function thrownBy(action: () => unknown): RotatorError & Partial<Unreadable> {
  try {
    action();
  } catch (thrown) {
    if (thrown instanceof RotatorError) return thrown;
    throw thrown;
  }
  throw new Error('nothing was thrown');
}

/** The rotator's own error that the call rejects with; anything else fails the test. */
export async function errorOf(call: Promise<unknown>): Promise<RotatorError> {
  const rejected = await call.then(
    () => {
      throw new Error('nothing was thrown');
    },
    (thrown: unknown) => thrown,
  );
  if (rejected instanceof RotatorError) return rejected;
  throw rejected;
}
