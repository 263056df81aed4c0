import type { Connection } from '../rotation/core/connection.ts';
import type { RotationResult } from '../rotation/core/outcome.ts';
import type { Ports } from '../rotation/ports.ts';
import { ProcessMemory } from '../rotation/processMemory.ts';
import { rotate } from '../rotation/rotate.ts';

const PATIENCE_MS = 30_000;
const PAUSE_MS = 1_000;

/**
 * Rotates a connection whose refresh token was just stored, which shows that all its settings work together. If a running
 * rotator comes first, it does the same: this function waits for it, and the result is then `not_due`.
 */
export async function firstRotation(connection: Connection, ports: Ports): Promise<RotationResult> {
  const endsAt = ports.clock.monotonic() + PATIENCE_MS;
  const state = new ProcessMemory();
  for (;;) {
    const result = await rotate({ connection, force: false, patient: true }, ports, state);
    if (result.result !== 'in_progress' || ports.clock.monotonic() > endsAt) {
      await state.drain();
      return result;
    }
    await ports.clock.sleep(PAUSE_MS);
  }
}
