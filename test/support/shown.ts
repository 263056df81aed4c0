import type { problemResponse } from '../../functions/responses.ts';
import type { Check } from '../../lib/doctor/check.ts';
import type { ErrorCode, Problem } from '../../lib/errors.ts';
import type { Reason } from '../../lib/rotation/core/decide.ts';
import type { RotationResult } from '../../lib/rotation/core/outcome.ts';
import type { ConnectionStatus } from '../../lib/rotation/core/status.ts';
import type { Planned } from '../../lib/rotation/plan.ts';
import type { SweepSummary } from '../../lib/rotation/sweep.ts';
import type { ConfigurationProblem } from '../../lib/rotator.ts';

type Rotated = Pick<RotationResult, 'connection' | 'result' | 'generation' | 'problem'>;

/** The JSON documents of the functions and, with `--json`, of the commands. Each has some of these properties. */
export interface Shown extends Partial<Rotated>, Partial<Omit<ConnectionStatus, 'reason'>> {
  /** Of a rotation, or of the state of a connection. */
  readonly reason?: Reason | ErrorCode;
  /** Their number after a sweep; otherwise all of them. */
  readonly connections?: number | readonly ConnectionStatus[];
  readonly invalid?: number;
  readonly due?: number;
  readonly results?: SweepSummary['results'];
  readonly planned?: readonly Planned[];
  readonly checks?: readonly Check[];
  readonly rotation?: Shown;
  readonly error?: Problem;
  readonly entry?: object;
  readonly takenOver?: boolean;
  readonly from?: string;
  readonly to?: string;
  /** The status of the health probe; otherwise that of the response. */
  readonly status?: 'ok' | 'unavailable' | number;
  readonly code?: Parameters<typeof problemResponse>[0]['code'];
  readonly lastSweep?: string;
  /** When the health probe was answered anew. */
  readonly checked?: string;
  /** Of `validate`. */
  readonly notes?: readonly object[];
  readonly message?: string;
  /** Why the connections cannot be read. */
  readonly configuration?: Partial<ConfigurationProblem>;
  readonly title?: string;
  readonly detail?: string;
  readonly fix?: string;
}
