import { RotatorError } from '../../errors.ts';
import type { Ports } from '../ports.ts';
import { Lease, LeaseLost } from './lease.ts';

/**
 * Does what a person asked for under the lease of a connection: no rotation comes in between.
 * @throws RotatorError `in_progress` where somebody else has the lease, or gets it meanwhile, or what the work throws
 */
export async function underLease(
  name: string,
  { records, clock }: Pick<Ports, 'records' | 'clock'>,
  work: (lease: Lease) => Promise<void>,
): Promise<void> {
  const lease = await Lease.take(records, clock, name);
  if (lease === 'taken') throw inProgress(name);
  try {
    await work(lease);
  } catch (thrown) {
    throw thrown instanceof LeaseLost ? inProgress(name) : thrown;
  } finally {
    await lease.release();
  }
}

function inProgress(name: string): RotatorError {
  return new RotatorError({
    code: 'in_progress',
    message: `Another rotation of ${name} is running.`,
    fix: 'Run the command again in a moment.',
  });
}
