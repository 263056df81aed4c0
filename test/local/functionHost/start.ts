import { type FunctionHost, startFunctionHost } from '../../../local/functionHost/host.ts';

/** A host with the fixture's functions on a free port, and the lines that it logged. */
export interface FixtureHost extends FunctionHost {
  readonly lines: string[];
}

/** Starts the fixture. Its timers with a setting do not tick during a test. */
export async function startFixture(env: Record<string, string> = {}): Promise<FixtureHost> {
  const lines: string[] = [];
  const host = await startFunctionHost({
    entry: new URL('./fixture/index.ts', import.meta.url),
    hostJson: new URL('./fixture/host.json', import.meta.url),
    port: 0,
    env: { FIXTURE_SCHEDULE: '30 59 23 31 12 *', ...env },
    log: (line) => lines.push(line),
  });
  return { ...host, lines };
}
