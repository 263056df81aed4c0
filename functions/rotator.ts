import { type Composition, compose } from '../lib/compose.ts';

let composed: Composition | undefined;

/** The rotator of this process, made at the first use: importing a function must not read settings or open connections. */
export function rotator(): Composition {
  composed ??= compose(process.env);
  return composed;
}

/** Ends the work of this process, if it ever began any. */
export async function drain(): Promise<void> {
  await composed?.drain();
}
