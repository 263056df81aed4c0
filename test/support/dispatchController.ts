import type { Dispatcher } from 'undici';

/** What undici hands to a handler of a response; it only remembers what it was told. */
export function dispatchController(): Dispatcher.DispatchController {
  const told: { aborted: boolean; paused: boolean; reason: Error | null } = {
    aborted: false,
    paused: false,
    reason: null,
  };
  return Object.assign(told, {
    abort: (reason: Error) => void Object.assign(told, { aborted: true, reason }),
    pause: () => void Object.assign(told, { paused: true }),
    resume: () => void Object.assign(told, { paused: false }),
  });
}
