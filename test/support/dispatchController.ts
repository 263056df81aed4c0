import type { Dispatcher } from 'undici';

/** The controller that undici passes to a response handler; it only records the calls. */
export function dispatchController(): Dispatcher.DispatchController {
  const recorded: { aborted: boolean; paused: boolean; reason: Error | null } = {
    aborted: false,
    paused: false,
    reason: null,
  };
  return Object.assign(recorded, {
    abort: (reason: Error) => void Object.assign(recorded, { aborted: true, reason }),
    pause: () => void Object.assign(recorded, { paused: true }),
    resume: () => void Object.assign(recorded, { paused: false }),
  });
}
