import { type Composition, compose } from '../lib/compose.ts';

let composed: Composition | undefined;

/** The rotator of this process, created on first use: importing a function must not read settings or open connections. */
export function rotator(): Composition {
  composed ??= compose(process.env);
  return composed;
}

/** Drains the rotator of this process, if it was ever created. */
export async function drain(): Promise<void> {
  await composed?.drain();
}
