import { compose } from '../lib/compose.ts';
import type { Rotator } from '../lib/rotator.ts';

let composed: Rotator | undefined;

/** The rotator of this process, made at the first use: importing a function must not read settings or open connections. */
export function rotator(): Rotator {
  composed ??= compose(process.env);
  return composed;
}

/** Ends the work of this process, if it ever began any. */
export async function drain(): Promise<void> {
  await composed?.drain();
}
