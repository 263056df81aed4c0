import { Session } from 'node:inspector/promises';

/**
 * Counts how many blocks of this repository's code run during some work, as V8 reports them. The number is the same each time,
 * unlike a time. Work inside V8, such as that of regular expressions, does not count.
 */
export class StepCounter {
  readonly #session = new Session();

  /** Code that ran before is not counted: V8 has compiled it without counters. */
  async start(): Promise<void> {
    this.#session.connect();
    await this.#session.post('Profiler.enable');
    await this.#session.post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  async stepsOf(work: () => unknown): Promise<number> {
    await this.#take();
    await work();
    return this.#take();
  }

  async stop(): Promise<void> {
    await this.#session.post('Profiler.stopPreciseCoverage');
    this.#session.disconnect();
  }

  /** Reading the counters sets them to zero. */
  async #take(): Promise<number> {
    const { result } = await this.#session.post('Profiler.takePreciseCoverage');
    const ours = result.filter(({ url }) => /\/(?:lib|test)\//.test(url) && !url.includes('node_modules'));
    const ranges = ours.flatMap(({ functions }) => functions.flatMap((each) => each.ranges));
    return ranges.reduce((sum, { count }) => sum + count, 0);
  }
}
