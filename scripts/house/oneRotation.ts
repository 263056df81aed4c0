import inspector from 'node:inspector';
import { type Runtime, Session } from 'node:inspector/promises';
import { fileURLToPath } from 'node:url';
import { sweep } from '../../lib/rotation/sweep.ts';
import { connectionNamed } from '../../test/unit/rotation/world/connection.ts';
import { World } from '../../test/unit/rotation/world.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

/** V8's observations of one rotation. Files are paths from the top of the repository. */
export interface ObservedRotation {
  /** Files of lib/rotation of which at least one function ran. */
  readonly executed: readonly string[];
  /** Functions of lib/rotation from the first vault write up to the sweep, as `file function`, without the call of the port. */
  readonly frames: readonly string[];
}

/**
 * Runs a sweep in the in-memory world of the unit tests: one connection, due, in the steady state. Nothing else may use the inspector
 * or the coverage of this process at the same time.
 */
export async function observeOneRotation(): Promise<ObservedRotation> {
  const world = new World();
  const connection = connectionNamed();
  world.connections = [connection];
  world.seed(connection);
  const { ports, state: memory } = world.process();
  const sweepOnce = () => world.settle(sweep(ports, memory));
  await sweepOnce();
  // The service returns whole seconds.
  await world.clock.pass(world.record(connection.name).nextAttemptAt - world.now() + 1000);

  const session = new Session();
  session.connect();
  await session.post('Runtime.enable');
  await session.post('Debugger.enable');
  await session.post('Debugger.setAsyncCallStackDepth', { maxDepth: 200 });
  await session.post('Profiler.enable');
  await session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  let atFirstWrite: Runtime.StackTrace | undefined;
  session.on('Runtime.consoleAPICalled', ({ params }) => {
    atFirstWrite = params.stackTrace;
  });
  // Error.stack lacks the callers behind Promise.race and finally. The inspector keeps them, and adds a stack to each message.
  world.before(/^(put|tag|disable) /, () => inspector.console.debug('first write'));

  const { results } = await sweepOnce();
  if (results.rotated !== 1 || !atFirstWrite) throw new Error('The connection was not rotated.');
  const { result: scripts } = await session.post('Profiler.takePreciseCoverage');
  const executed = scripts
    .filter(({ functions }) => functions.some(({ ranges }) => ranges.some(({ count }) => count > 0)))
    .flatMap(({ url }) => inRotation(url) ?? []);
  const frames = await framesOf(atFirstWrite, session);
  session.disconnect();
  return { executed, frames };
}

/** The functions in a stack and in the stacks that waited for it, each once. */
async function framesOf(trace: Runtime.StackTrace, session: Session): Promise<string[]> {
  const frames = new Set<string>();
  for (let each: Runtime.StackTrace | undefined = trace; each; ) {
    for (const { url, functionName } of each.callFrames) {
      const file = inRotation(url);
      if (file) frames.add(`${file} ${functionName || '(anonymous)'}`);
    }
    const { parent, parentId }: Runtime.StackTrace = each;
    each = parentId
      ? (await session.post('Debugger.getStackTrace', { stackTraceId: parentId })).stackTrace
      : parent;
  }
  return [...frames];
}

function inRotation(url: string): string | undefined {
  if (!url.startsWith('file:')) return undefined;
  const path = fileURLToPath(url).slice(ROOT.length).replaceAll('\\', '/');
  return path.startsWith('lib/rotation/') ? path : undefined;
}
